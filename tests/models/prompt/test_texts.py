"""Texts around a name: English, distinct, bounded."""

import pytest

from models.prompt.name.reader import PAIRS
from models.prompt.texts import MAX_CANDIDATES, candidate_texts, with_article


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


def test_a_state_is_not_said_twice():
    texts = [text for text, _, _ in candidate_texts("new cap", {"state": ("new", "clean")})]
    assert texts == ["a new cap", "a clean new cap"]


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
        ("IC", "an IC"), ("USB plug", "a USB plug"), ("LED", "an LED"), ("O-ring", "an O-ring"),
        ("M8 screw", "an M8 screw"), ("U-bolt", "a U-bolt"), ("SMD resistor", "an SMD resistor"),
        ("hourglass", "an hourglass"), ("UV lamp", "a UV lamp"), ("HDMI cable", "an HDMI cable"),
        ("T-nut", "a T-nut"), ("S-hook", "an S-hook"), ("8-pin plug", "an 8-pin plug"),
        ("11 mm nut", "an 11 mm nut"), ("10 mm nut", "a 10 mm nut"), ("80 mm nut", "an 80 mm nut"),
        ("écrou", "an écrou"), ("RFID tag", "an RFID tag"), ("SIM card", "a SIM card"),
        ("utensil", "a utensil"), ("umbrella", "an umbrella"), ("EU plug", "a EU plug"),
        ("box of scissors", "a box of scissors"),
    ],
)  # fmt: skip
def test_articles(phrase, expected):
    assert with_article(phrase) == expected
    thing = phrase.split(" of ")[0].split()[-1]
    assert with_article(phrase).startswith("a pair of ") == (thing in PAIRS)
