"""Takes a name apart into its words, as people write them."""

import re


def tokens(text: str) -> list[str]:
    """The name taken apart at spaces, underscores and capitals inside a word, in its own case."""
    text = re.sub(
        r"(?i)\b(?:part|item|article|order|serial|stock)[\s_-]*(?=(?:no|nr|number)\b)", "", text
    )
    text = re.sub(r"(?i)(?<![^\W\d_])(p/n|s/n)(?![^\W\d_])", r" pn ", text)
    text = re.sub(r"(?i)\b(rev|ver|vers|typ|no|nr|pos|art|ref|var|gr|cl|mod)\.", r"\1 ", text)
    text = re.sub(r"(?<=[a-z]{2})(?=[A-Z][a-z])|(?<=[a-z]{2})(?=[A-Z]\d)", " ", text)
    text = re.sub(r"(?<=[A-Z]{2})(?=[A-Z][a-z]{3})", " ", text)
    text = re.sub(r"(?i)\bassy\b", "assembly", text)
    text = re.sub(r"(?i)\bw/o\b", " without ", text)
    text = re.sub(r"(?i)\bw/", " with ", text)
    text = re.sub(r"(?<=[^\W\d_])/(?=[^\W\d_]+\s*$)|[&+]", " and ", text)
    text = re.sub(r"(?<=[^\W\d_])/(?=[^\W\d_])|[_:!?\"“”]", " ", text)
    return [word for word in (part.strip(".'’`-") for part in text.split()) if word]


def hyphened(words: list[str]) -> list[str]:
    """A letter before a word belongs to it: "o ring" is an o-ring."""
    joined: list[str] = []
    for word in words:
        if joined and len(joined[-1]) == 1 and joined[-1].isalpha() and len(word) > 1:
            joined[-1] = f"{joined[-1]}-{word}"
        else:
            joined.append(word)
    return joined
