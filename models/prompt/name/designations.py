"""Designations in an object's name: sizes, standards, part numbers, revisions. They name no thing.

Knows no dictionary: whoever calls says which words are words.
"""

import re
from collections.abc import Callable

from models.prompt.word_list import word_list

# Words before a number that belong to it: DIN 934, rev 2, size 9, image 003.
STANDARDS = word_list(
    """
    din iso en ansi asa astm asme jis iec bs gb gost sae aisi unc unf unef bsp bspp bspt npt ral
    vde mil uni nf csn pn-en
    """
)
LABELS = word_list(
    """
    rev revision ver version vers v typ type size gr grade class cl model mod no nr num number
    ref reference series ser variant var art article item id sn s/n pn p/n sku lot batch qty
    quantity pos position dwg drawing drg index idx issue gen generation mk mark cat cavity cav
    sample image img photo pic specimen style code
    """
)
# A label that says nothing without its value.
EMPTY_LABELS = word_list(
    """
    rev ver vers no nr num pn p/n s/n sku typ qty dwg
    """
)
UNITS = word_list(
    """
    mm cm dm m km µm μm um nm in inch inches ft foot feet yd mil mils thou g mg kg lb lbs oz ml
    cl l litre litres liter liters gram grams meter meters metre metres micron microns v volt
    volts kv mv a amp amps ma ah mah w watt watts kw hp hz khz mhz ghz ohm ohms ω kω mω k kohm
    kohms mohm uf nf pf µf μf uh μh mh μa μv μl μg euro eur cent cents bar psi kpa mpa pa n nm
    deg degree degrees °c c ° awg swg gauge ga grit pcs pc pieces stk ea off dpi lm lux rpm
    """
)
# What is counted on a thing: a connector of 8 pins, a gear of 24 teeth.
COUNTED = word_list(
    """
    pin pins pole poles way ways hole holes tooth teeth core cores channel channels port ports
    position positions piece digit digits cell cells
    """
)
SIGNS = word_list(
    """
    × * ø ⌀ φ # ± - – — = @ ~ °
    """
)
SIZES = word_list(
    """
    xs xl xxl ab
    """
)
_ROMAN = re.compile(r"(?:i{1,3}|iv|vi{0,3}|ix|x)", re.IGNORECASE)
_NUMBERED_WORD = re.compile(r"([^\W\d_]{3,})(\d+)")
_MAX_COUNTER_DIGITS = 3


def is_value(token: str, is_word: Callable[[str], bool]) -> bool:
    """Whether the token can be the value of a label: "A", "II", "XL", "PLC"; numbers aside."""
    if len(token) == 1:
        return token.isalpha()
    code = token.isalpha() and token.isupper() and len(token) <= 3 and not is_word(token.lower())
    return code or token.lower() in SIZES or _ROMAN.fullmatch(token) is not None


def without_designations(
    tokens: list[str], is_word: Callable[[str], bool]
) -> tuple[list[str], list[str]]:
    """The tokens that are words, and those of designations, each in their order.

    A number takes with it the labels before it ("DIN EN ISO 4014", "rev 2") and the unit or the
    counted feature after it ("10 mm", "8 pins"). A word with a counter keeps the word ("pcb1").

    Args:
        tokens: the name, split at spaces, in the user's own case.
        is_word: whether a lower-case word is in the dictionary.
    """
    kept: list[str] = []
    dropped: list[str] = []
    after = ""  # the number that the token follows, or nothing
    for token in tokens:
        lower = token.lower()
        if any(character.isdigit() for character in token):
            words = words_beside_numbers(token, is_word)
            if not words:
                while kept and _belongs_to_a_number(kept[-1]):
                    dropped.append(kept.pop())
            kept += words
            dropped.append(token)
            after = token
        elif (
            lower in SIGNS
            or (after and (lower in UNITS or lower == "x"))
            or (after.isdigit() and lower in COUNTED)
        ):
            dropped.append(token)
        elif kept and kept[-1].lower() in LABELS and is_value(token, is_word):
            dropped += [kept.pop(), token]
        else:
            kept.append(token)
            after = ""
    while len(kept) > 1 and kept[-1].lower() in EMPTY_LABELS | STANDARDS:
        dropped.append(kept.pop())
    return kept, dropped


def words_beside_numbers(token: str, is_word: Callable[[str], bool]) -> list[str]:
    """The words that a token with digits holds: "M8-hex-nut" hex, nut; "pcb1" pcb; "A2-70" none.

    Part numbers hold letters too, in capitals or unknown to the dictionary: those are no words.
    """
    words: list[str] = []
    number = ""
    for part in re.split(r"[-–./,:+]", token):
        counted = _NUMBERED_WORD.fullmatch(part)
        lower = (counted[1] if counted else part).lower()
        if any(c.isdigit() for c in part) and not counted:
            number = part
        elif lower in STANDARDS | LABELS or (number and lower in UNITS | COUNTED):
            continue
        elif counted:
            # "fryum02" counts fryums; "BC547", "TPS54331" and "ATmega328" are part numbers.
            counts = counted[1].islower() and len(counted[2]) <= _MAX_COUNTER_DIGITS
            if counts or is_word(lower):
                words.append(counted[1])
        elif len(part) >= 3 and is_word(lower):
            words.append(part)
    if words and re.match(rf"[^\W\d_]-{re.escape(words[0])}", token):  # O-ring-02
        words[0] = token[: 2 + len(words[0])]
    return words


def _belongs_to_a_number(token: str) -> bool:
    return token.lower() in STANDARDS | LABELS or (len(token) == 1 and token.isupper())
