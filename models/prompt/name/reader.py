"""Reads an object's name as people on a factory floor write it: the thing, what is said of it.

"hex nut M8 DIN 934", "cap, red", "bag of 100 screws": designations go, what qualifies the thing
goes before it, and a dictionary is asked for the words that end in the thing.
"""

import re
import unicodedata
from dataclasses import dataclass

from nltk.corpus.reader.wordnet import WordNetCorpusReader

from models.prompt.name.designations import EMPTY_LABELS, STANDARDS, UNITS, without_designations
from models.prompt.name.foreign import is_foreign
from models.prompt.name.tokens import hyphened, tokens
from models.prompt.things import things
from models.prompt.word_list import word_list

MAX_NAME_LENGTH = 80
PAIRS = (
    "binoculars", "clippers", "forceps", "glasses", "goggles", "headphones", "jeans", "pants",
    "pincers", "pliers", "scissors", "shears", "shorts", "spectacles", "tongs", "trousers",
    "tweezers",
)  # fmt: skip
# What follows says nothing about which thing it is: "gasket for pump", "cable with plug".
PREPOSITIONS = word_list(
    """
    for with without from per acc according incl including
    """
)
# Of "pair of pliers" the thing is the pliers.
TRANSPARENT = word_list(
    """
    pair pairs piece pieces set sets lot sample samples image images photo photos picture
    pictures photograph photographs close-up closeup kind type batch
    """
)
# Nor does the end of "brake pad set".
COLLECTIVES = word_list("set sets assortment lot batch")
# What WordNet does not know and would take for another thing by its last word.
UNKNOWN_THINGS = frozenset(
    ("allen key", "blister pack", "brake caliper", "brake calliper", "bubble wrap", "bus bar",
     "cable lug", "chocolate bar", "hex key", "memory stick", "pin header", "seal ring",
     "semiconductor wafer", "silicon wafer", "sim card", "steel plate", "terminal block",
     "usb stick", "wall plug", "wire harness")
)  # fmt: skip
COLOURS = word_list(
    """
    black white red green blue yellow orange brown grey gray purple pink violet turquoise beige
    silver gold golden amber transparent clear translucent
    """
)
SHADES = word_list(
    """
    light dark bright pale deep warm cool cold pure sky navy matt matte glossy
    """
)
SIDES_AND_SIZES = word_list(
    """
    left right front rear upper lower inner outer small large medium big long short thin thick
    flat new old used good ok normal hex round square countersunk male female
    """
)
MATERIALS = word_list(
    """
    metal alu steel brass bronze copper aluminium aluminum zinc titanium nickel chrome stainless
    plastic nylon silicone teflon viton polyamide polyethylene polypropylene polycarbonate pvc
    ptfe pom nbr epdm fkm hdpe ldpe tpu
    """
)
# "spring steel" is a steel.
KINDS_OF_MATERIAL = word_list(
    """
    angle bar bearing carbon cast damascus flat high mild needle plate roll round scrap sheet
    speed spring strip structural tool wire wrought
    """
)
MATERIAL_PHRASES = (
    "cast iron", "ductile iron", "stainless steel", "carbon steel", "galvanized steel",
    "carbon fiber", "carbon fibre",
)  # fmt: skip
# Capitals at the end of a name that are the thing itself: "timer IC".
ACRONYMS = word_list(
    """
    asic bga cd cpu dip dvd ecu fet fpga gpu hdd ic ics igbt lcd led leds mcu mosfet oled pc pcb
    pcba pcbs plc pwb qfn qfp ram rom smd soic sop ssd tft tv ups usb
    """
)


@dataclass(frozen=True)
class ObjectName:
    """An object's name, read.

    Attributes:
        text: as prompts write it: lower case, singular, words apart, no designation.
        head: the words of `text` that end in the thing: of "bag of screws" the bag.
        context: every other word of the user's, lower case: "hex", "din", "red".
        is_looked_up: whether English words of `head` may be asked for; else the bare name stands.
    """

    text: str
    head: tuple[str, ...]
    context: frozenset[str]
    is_looked_up: bool


class NameReader:
    """Reads names by English grammar and WordNet's knowledge of what is a noun."""

    def __init__(self, wordnet: WordNetCorpusReader):
        self.wordnet = wordnet

    def read(self, object_name: str) -> ObjectName:
        """The thing that `object_name` names.

        Raises:
            ValueError: the name holds no letter, or more than MAX_NAME_LENGTH characters.
        """
        if len(object_name) > MAX_NAME_LENGTH:
            raise ValueError(
                f"object name of {len(object_name)} characters, {MAX_NAME_LENGTH} allowed"
            )
        plain = unicodedata.normalize("NFKC", object_name)
        main, asides, designations = self._segments(plain)
        bare = " ".join(re.sub(r"[^\w'’-]|_", " ", plain).lower().split()).strip("-' ")
        if not any(character.isalpha() for character in bare):
            raise ValueError(f"object name {object_name!r} holds no letter")
        if not main:  # a part number alone
            return ObjectName(bare, (bare,), frozenset(), is_looked_up=False)
        words = [word.lower() for word in main]
        if is_foreign(words):
            text = " ".join(words)
            return ObjectName(text, (text,), frozenset(), is_looked_up=False)
        context = {word.lower() for group in (main, *asides, designations) for word in group}
        main, of_what = self._before_preposition(main)
        main, qualifiers = self._without_qualifiers(main)
        asides = [aside for aside in asides if self._all_qualifies(aside)]
        before = [word for aside in asides for word in aside] + qualifiers
        *modifiers, last = hyphened([word.lower() for word in before + main], self._is_known)
        is_one_thing = len(modifiers) < 2 or modifiers[-1] not in ("and", "or")
        if not is_one_thing:
            modifiers[-2] = self.singular(modifiers[-2])
        head = [*modifiers, *self._apart(self.singular(last)).split()]
        is_known = " ".join(head[-2:]) not in UNKNOWN_THINGS
        return ObjectName(
            " ".join(head + of_what),
            tuple(head),
            frozenset((context | {*head}) - {head[-1]}),
            is_one_thing and is_known,
        )

    def singular(self, word: str) -> str:
        """The singular of a noun, known to WordNet or not."""
        if word in PAIRS:
            return word
        known = self.wordnet.morphy(word, "n")
        if known is None:
            return re.sub(r"(?<=[a-z]{2})(?<![suiy])s$", "", word)
        stem = word.removesuffix("s")
        if known == word != stem and len(stem) >= 4 and self.wordnet.morphy(stem, "n") == stem:
            return stem
        return str(known)

    def qualifies(self, word: str) -> bool:
        """Whether a word says how a thing is, and not which: an adjective, a colour, a material."""
        lower = word.lower()
        listed = COLOURS | SHADES | SIDES_AND_SIZES | MATERIALS | {"cast", "iron"}
        return lower in listed or self._only_qualifies(lower)

    def _segments(self, plain: str) -> tuple[list[str], list[list[str]], list[str]]:
        """The words of the thing, of what stands in brackets or after a comma, of designations."""
        bracketed = re.findall(r"[(\[{]([^)\]}]*)", plain)
        outside = re.sub(r"[(\[{][^)\]}]*[)\]}]?", " ", plain)
        parts = [*re.split(r"[,;]|\s[-–—]+\s", outside), *bracketed]
        groups, dropped = [], []
        for part in parts:
            words, numbers = without_designations(tokens(part), self._is_word)
            groups.append([w for word in words for w in self._split_hyphens(word)])
            dropped += numbers
        groups = [group for group in groups if group]
        if not groups:  # labels and counters alone: "part 12", "PCB1"
            words = re.findall(r"(?<![\w-])([^\W\d_]{2,})(?:[-_]?\d{1,3})?(?![\w-])", plain)
            words = [w for w in words if w.lower() not in EMPTY_LABELS | STANDARDS | UNITS]
            groups = [words[:1]] if words else []
        main, *asides = groups or [[]]
        return main, asides, dropped

    def _split_hyphens(self, word: str) -> list[str]:
        """`Metal-nut` is two words; `O-ring` and `USB-C` are one thing each."""
        if re.fullmatch(r"[^\W\d_]-[^\W\d_]{2,}", word):
            return [word]
        word = re.sub(r"(?<=[^\W\d_]{2})-[A-Z]$", "", word)
        return [part for part in word.split("-") if re.search(r"\w", part)]

    def _is_word(self, word: str) -> bool:
        return bool(self.wordnet.synsets(word))

    def _is_known(self, words: list[str]) -> bool:
        return bool(things(self.wordnet, " ".join(words).lower()))

    def _before_preposition(self, main: list[str]) -> tuple[list[str], list[str]]:
        """The words before the first preposition, and "of what" in lower case."""
        lower = [word.lower() for word in main]
        while len(lower) > 1 and lower[0] in PREPOSITIONS | {"a", "an", "the", "of", "in"}:
            main, lower = main[1:], lower[1:]
        for at, word in enumerate(lower[1:], 1):
            before_of = word == "made" or lower[at + 1 : at + 2] == ["of"]
            if word in PREPOSITIONS or (before_of and word != "of" and word.endswith(("ed", "de"))):
                return main[:at], []
            if word == "in" and all(map(self.qualifies, main[at + 1 :])):
                return main[:at] + main[at + 1 :], []
            if word == "of":
                what, of_what = self._before_preposition(main[at + 1 :])
                if not what:
                    return main[:at], []
                what, qualifiers = self._without_qualifiers(what)
                what = qualifiers + what
                if lower[at - 1] in TRANSPARENT:
                    return what, of_what
                return main[:at], ["of", *(w.lower() for w in what), *of_what]
        return main, []

    def _without_qualifiers(self, main: list[str]) -> tuple[list[str], list[str]]:
        """Takes what qualifies the thing from the end: "cap red", "housing left", "bracket B"."""
        qualifiers: list[str] = []
        while len(main) > 1:
            if len(main) > 2 and " ".join(main[-2:]).lower() in MATERIAL_PHRASES:
                main, qualifiers = main[:-2], [*main[-2:], *qualifiers]
                continue
            *rest, last = main
            lower = last.lower()
            if lower in COLLECTIVES:
                main = rest
                continue
            if self._is_known(main[-2:]):
                break
            is_part_of_colour = (
                bool(qualifiers)
                and qualifiers[0].lower() in COLOURS
                and (lower in SHADES or (lower == "and" and rest[-1].lower() in COLOURS))
            )
            if not (
                is_part_of_colour or self._ends_a_thing(rest, lower) or self._is_code(last, rest)
            ):
                break
            main = rest
            if is_part_of_colour or self.qualifies(last):
                qualifiers = [last, *qualifiers]
        return main, qualifiers

    def _ends_a_thing(self, rest: list[str], last: str) -> bool:
        """Whether `last` qualifies a thing that `rest` names."""
        before = rest[-1].lower()
        if last in COLOURS and before in SHADES | {"and"}:  # warm white, red and white
            return len(rest) > 1
        if last in MATERIALS:
            return before not in KINDS_OF_MATERIAL | COLOURS and not self._only_qualifies(before)
        if last in COLOURS | SIDES_AND_SIZES:
            return before not in COLOURS and not self._only_qualifies(before)
        return self._only_qualifies(last)

    def _is_code(self, word: str, rest: list[str]) -> bool:
        """Whether a last word says which one: "bracket LH", "ring Cu", "screw Torx"."""
        if len(word) == 1 or re.fullmatch(
            r"(?i)i{2,3}|iv|vi{1,3}|ix|lh|rh|xl|xxl|aa|aaa|final", word
        ):
            return word.isascii()
        if word.lower() in ACRONYMS or not word[0].isupper():
            return False
        if word.isupper() and all(other.isupper() for other in rest):  # all in capitals
            return len(word) < 4 and not self._is_word(word.lower())
        is_name = rest[-1].islower() and not self._is_word(word.lower())
        return word.isupper() or is_name or re.fullmatch("[A-Z][a-z]", word) is not None

    def _all_qualifies(self, aside: list[str]) -> bool:
        """Whether an aside is an adjective of some words: "red", "light blue", "self locking"."""
        if len(aside) == 2 and aside[1].lower().endswith(("ed", "ing")):
            return self.wordnet.morphy(aside[1].lower(), "v") is not None
        return all(map(self.qualifies, aside))

    def _only_qualifies(self, word: str) -> bool:
        """Whether a word is an adjective or a participle, and never a noun."""
        if self.wordnet.morphy(word, "n"):
            return False
        is_participle = word.endswith(("ed", "en")) and self.wordnet.morphy(word, "v") is not None
        return is_participle or any(self.wordnet.synsets(word, pos) for pos in "ar")

    def _apart(self, word: str) -> str:
        """`chewinggum` -> "chewing gum", `metalnut` -> "metal nut", if no word is spelt so."""
        if self.wordnet.synsets(word, "n"):
            return word
        splits = [(word[:i], word[i:]) for i in range(3, len(word) - 2)]
        known = [split for split in splits if things(self.wordnet, "_".join(split))]
        pairs = [split for split in splits if all(map(self._is_common_thing, split))]
        return " ".join(next(iter(known or pairs), (word,)))

    def _is_common_thing(self, word: str) -> bool:
        synsets = things(self.wordnet, word)
        return any(word in synset.lemma_names() for synset in synsets)  # FET is no word
