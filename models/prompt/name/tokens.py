"""Takes a name apart into its words, as people write them."""

import re
from collections.abc import Callable


def tokens(text: str) -> list[str]:
    """The name taken apart at spaces, underscores and capitals inside a word, in its own case."""
    text = text.replace("_", " ")
    text = re.sub(
        r"(?i)\b(?:part|item|article|order|serial|stock)[\s_-]*(?=(?:no|nr|number)\b)", "", text
    )
    text = re.sub(r"(?i)(?<![^\W\d_])(p/n|s/n)(?![^\W\d_])", r" pn ", text)
    text = re.sub(r"(?i)\b(rev|ver|vers|typ|no|nr|pos|art|ref|var|gr|cl|mod)\.", r"\1 ", text)
    text = re.sub(r"(?i)\b(type|typ|class|grade|size|rev|model)-(?=[a-z]\b)", r"\1 ", text)
    text = re.sub(r"(?<=[a-z]{2})(?=[A-Z][a-z])|(?<=[a-z]{2})(?=[A-Z]\d)", " ", text)
    text = re.sub(r"(?<=[A-Z]{2})(?=[A-Z][a-z]{3})", " ", text)
    text = re.sub(r"(?i)\bassy\b", "assembly", text)
    text = re.sub(r"(?i)\bw/o\b", " without ", text)
    text = re.sub(r"(?i)\bw/", " with ", text)
    text = re.sub(r"(?<=[^\W\d_])/(?=[^\W\d_]+\s*$)|[&+]", " and ", text)
    text = re.sub(r"(?<=[^\W\d_])/(?=[^\W\d_])|[:!?\"“”]", " ", text)
    return [word for word in (part.strip(".'’`-") for part in text.split()) if word]


def hyphened(words: list[str], is_known: Callable[[list[str]], bool]) -> list[str]:
    """A letter before a word belongs to it: "o ring" is an o-ring; not so the c of "usb c plug"."""
    joined: list[str] = []
    for word in words:
        is_letter = bool(joined) and len(joined[-1]) == 1 and joined[-1].isalpha()
        if is_letter and len(word) > 1 and (len(joined) == 1 or is_known([joined[-1], word])):
            joined[-1] = f"{joined[-1]}-{word}"
        else:
            joined.append(word)
    return joined
