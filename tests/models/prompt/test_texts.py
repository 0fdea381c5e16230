"""Texts around a name: English, distinct, bounded."""

import pytest

from models.prompt.texts import MAX_CANDIDATES, candidate_texts, with_article
from models.prompt.words import PAIRS


def test_the_cap_holds():
    words = {"part": tuple(f"part{number}" for number in range(500))}
    assert len(list(candidate_texts("bottle", words))) == MAX_CANDIDATES


def test_forms_of_one_candidate():
    words = {"state": ("intact",), "part": ("cap",), "substance": ("glass",)}
    texts = [text for text, _, _ in candidate_texts("bottle", words)]
    assert texts == [
        "a bottle", "an intact bottle", "a bottle with a cap", "a bottle made of glass",
    ]  # fmt: skip
    mass = [text for text, _, _ in candidate_texts("leather", words, countable=False)]
    assert mass[:2] == ["leather", "intact leather"]


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("bottle", "a bottle"), ("intact nut", "an intact nut"), ("hour glass", "an hour glass"),
        ("unit", "a unit"), ("used bolt", "a used bolt"),
        ("unblemished tile", "an unblemished tile"),
        ("uninjured part", "an uninjured part"), ("pcb", "a pcb"), ("lcd", "an lcd"),
        ("x-ray tube", "an x-ray tube"), ("scissors", "a pair of scissors"),
        ("clean pliers", "a pair of clean pliers"), ("european plug", "a european plug"),
        ("o-ring", "an o-ring"), ("one-way valve", "a one-way valve"), ("螺母", "a 螺母"),
    ],
)  # fmt: skip
def test_articles(phrase, expected):
    assert with_article(phrase) == expected
    assert with_article(phrase).startswith("a pair of ") == (phrase.split()[-1] in PAIRS)
