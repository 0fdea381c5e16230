"""Candidate texts S_t around a name, in English; without torch, for whoever has no images.

Source: Lee & Choi (TGI-AD), CVPR 2024 (arXiv 2403.06247), section 4.1.1.
"""

import re
import unicodedata
from collections.abc import Iterable

from models.prompt.name.reader import PAIRS
from models.prompt.word_list import word_list

MAX_CANDIDATES = 96
# Abbreviations with a vowel that are read letter by letter.
SPELT_OUT = word_list(
    """
    ac ag ai api ecu eeg esd fpga hdmi ic ide ir iot led leds lpg mcu nfc oem oled rca
    rfid rtd sae sla sma suv uhf uhp ui uk ups us usa usb uv uvc vga xlr
    """
)
# How a noun of each relation joins the object; the paper's "with" where English allows it.
PATTERNS = {
    "part": "{object} with {a_word}",
    "substance": "{object} made of {word}",
    "synonym": "{object} or {word}",
    "hypernym": "{object}, a kind of {word}",
    "hyponym": "{object} such as {a_word}",
    "whole": "{object} of {a_word}",
}


def candidate_texts(
    object_name: str, words: dict[str, tuple[str, ...]], countable: bool = True
) -> Iterable[tuple[str, str, str]]:
    """S_t: (text, word, relation), no text twice, at most MAX_CANDIDATES.

    Adjectives stand before the object, nouns after it: "a flawless bottle", "a bottle with a cap".
    """
    thing = with_article(object_name) if countable else object_name
    texts = {thing: ("", "object")}
    for relation in ("state", "attribute"):
        for word in words.get(relation, ()):
            if word in object_name.split():  # a new housing is no new new housing
                continue
            phrase = f"{word} {object_name}"
            texts.setdefault(with_article(phrase) if countable else phrase, (word, relation))
    for relation, pattern in PATTERNS.items():
        for word in words.get(relation, ()):
            text = pattern.format(object=thing, word=word, a_word=with_article(word))
            texts.setdefault(text, (word, relation))
    return [(text, *source) for text, source in texts.items()][:MAX_CANDIDATES]


def with_article(phrase: str) -> str:
    """The phrase with "a", "an" or "a pair of", by the sound of its first word."""
    if phrase.split(" of ", maxsplit=1)[0].rsplit(maxsplit=1)[-1] in PAIRS:
        return f"a pair of {phrase}"
    first = re.split("[ -]", unicodedata.normalize("NFKD", phrase.lower()))[0]
    if re.fullmatch("[a-z]", first) or first in SPELT_OUT or re.match(r"[a-z]{1,3}\d", first):
        vowel = first[0] in "aefhilmnorsx"  # an LED, a USB plug, an M8 screw
    elif not re.search("[aeiouy]", first):  # an LCD, a PCB; an 8 mm, an 11 mm, an 80 mm screw
        vowel = first[0] in "fhlmnrsx8" or re.match(r"1[18](\D|$)", first) is not None
    elif re.match(r"(uni(?![nm])|u[srt][aei]|eu|one\b|once\b)", first):
        vowel = False
    else:
        vowel = re.match(r"([aeiou]|hour|honest|heir)", first) is not None
    return f"{'an' if vowel else 'a'} {phrase}"
