"""Designations are told from words without a dictionary of things."""

import pytest

from models.prompt.name.designations import without_designations, words_beside_numbers

WORDS = {"hex", "nut", "bolt", "cap", "pin", "connector", "gear", "iso", "model", "tag", "id"}


def words_of(name: str) -> list[str]:
    return without_designations(name.split(), WORDS.__contains__)[0]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hex nut M8 DIN EN ISO 4032", ["hex", "nut"]),
        ("M8 x 20 bolt 8.8", ["bolt"]),
        ("connector 8 pins", ["connector"]),
        ("8 pin connector", ["connector"]),
        ("gear 24-tooth", ["gear"]),
        ("bolt 10 mm", ["bolt"]),
        ("cap type A", ["cap"]),
        ("cap Mark II", ["cap"]),
        ("cap size XL", ["cap"]),
        ("cap rev", ["cap"]),
        ("ID TAG", ["ID", "TAG"]),  # a label before a word stays
        ("model nut", ["model", "nut"]),
        ("nut", ["nut"]),
        ("4711-0815", []),
    ],
)
def test_words_and_designations(name, words):
    assert words_of(name) == words


def test_nothing_is_lost():
    for name in ("hex nut M8 DIN 934", "8 pin connector rev C", "P/N 12 cap"):
        kept, dropped = without_designations(name.split(), WORDS.__contains__)
        assert sorted(kept + dropped) == sorted(name.split())


@pytest.mark.parametrize(
    ("token", "words"),
    [("pcb1", ["pcb"]), ("fryum02", ["fryum"]), ("M8-hex-nut", ["hex", "nut"]), ("A2-70", []),
     ("BC547", []), ("ATmega328", []), ("AB-1234-X", []), ("DIN934", []), ("8-pin", []),
     ("O-nut-02", ["O-nut"]), ("6204-2RS", [])],
)  # fmt: skip
def test_words_beside_numbers(token, words):
    assert words_beside_numbers(token, WORDS.__contains__) == words
