"""Points of meanings: laws of the ranking, and that each reason is said."""

import pytest

from models.prompt.senses import LEAST, rank
from models.prompt.things import things


def points(wordnet, noun, *context):
    synsets = things(wordnet, noun)
    ranks = rank(synsets, noun, frozenset(context))
    return {str(s.name()): r.points for s, r in zip(synsets, ranks, strict=True)}


@pytest.mark.parametrize("noun", ["nut", "bolt", "cap", "plate", "pin", "cable", "chip"])
def test_the_order_of_the_meanings_does_not_matter(wordnet, noun):
    synsets = things(wordnet, noun)
    there = rank(synsets, noun, frozenset({"steel"}))
    back = rank(synsets[::-1], noun, frozenset({"steel"}))
    assert there == back[::-1]


@pytest.mark.parametrize(
    ("noun", "word", "meaning"),
    [("nut", "hex", "nut.n.03"), ("nut", "roasted", "nut.n.01"), ("nut", "m8", "nut.n.03"),
     ("plug", "usb", "plug.n.05"), ("blade", "saw", "blade.n.09"), ("blade", "fan", "blade.n.08"),
     ("chip", "potato", "chip.n.04"), ("cell", "lithium", "cell.n.03")],
)  # fmt: skip
def test_a_word_beside_it_speaks_for_a_meaning(wordnet, noun, word, meaning):
    assert points(wordnet, noun, word)[meaning] > points(wordnet, noun)[meaning]
    assert max(points(wordnet, noun, word).items(), key=lambda item: item[1])[0] == meaning


def test_a_word_that_says_nothing_changes_nothing(wordnet):
    for noun in ("nut", "screw", "bottle"):
        assert points(wordnet, noun, "qwrtz", "of", "the") == points(wordnet, noun)


def test_things_made_come_before_what_grows_and_lives(wordnet):
    # A crane, a mouse, a seal and a stopcock are parts.
    for noun in ("crane", "mouse", "seal", "cock"):
        found = points(wordnet, noun)
        living = [p for name, p in found.items() if wordnet.synset(name).lexname() == "noun.animal"]
        assert living
        assert max(living) < LEAST < max(found.values())


def test_no_part_of_a_machine_is_a_chair_or_a_shirt(wordnet):
    assert points(wordnet, "skirt", "piston")["skirt.n.02"] < LEAST
    assert points(wordnet, "skirt", "cotton")["skirt.n.02"] > LEAST


def test_every_point_has_its_reason(wordnet):
    synsets = things(wordnet, "nut")
    reasons = [r.reason for r in rank(synsets, "nut", frozenset({"metal"}))]
    assert "metal: hardware" in reasons[1]
    assert "its definition speaks of metal" in reasons[1]
    assert "the most usual meaning" in reasons[0]
