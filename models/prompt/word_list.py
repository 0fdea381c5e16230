"""Word lists, written as text."""


def word_list(text: str) -> frozenset[str]:
    """The words of a text, each once; lower case and spaces between them as they stand."""
    return frozenset(text.split())
