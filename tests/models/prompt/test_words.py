import json

import pytest

from models.prompt.name.reader import MAX_NAME_LENGTH
from models.prompt.words import STATES, ObjectWordFinder


@pytest.fixture(scope="module")
def finder(wordnet):
    return ObjectWordFinder(wordnet)


@pytest.mark.parametrize(
    "name",
    ["metal_nut", "metal nut", "metal nuts", "Metal-Nut", " metal  nut ", "MetalNuts",
     "metal_nut_02", "METAL NUT", "metalnut"],
)  # fmt: skip
def test_one_name_in_every_form(finder, name):
    assert finder.find(name) == finder.find("metal nut")
    assert finder.find(name).object_name == "metal nut"


def test_normalising_twice_is_normalising_once(finder):
    for name in ("Metal_nuts-02", "chewinggum", "PCB1", "glasses", "M8 hex bolts", "leaves"):
        once = finder.normalise(name)
        assert finder.normalise(once) == once


@pytest.mark.parametrize(
    ("name", "object_name", "looked_up"),
    [
        ("hub caps", "hub cap", "hubcap"),  # written apart, known as one word
        ("chewinggum", "chewing gum", "chewing gum"),  # written as one, known apart
        ("magnetic_tile", "magnetic tile", "tile"),  # unknown compound: its head noun
        ("M8 hex bolts", "hex bolt", "bolt"),
        ("O-rings", "o-ring", "o ring"),
        ("T-nut", "t-nut", "nut"),
        ("pipe_fryum", "pipe fryum", None),
        ("fryums", "fryum", None),
        ("pcb1", "pcb", None),
        ("macaroni2", "macaroni", "macaroni"),
        ("leaves", "leaf", "leaf"),
        ("scissors", "scissors", "scissors"),
        ("glass", "glass", "glass"),
        ("lens", "lens", "lens"),
        ("brass", "brass", "brass"),
        ("chips", "chip", "chip"),
        ("Schraube", "schraube", None),
        ("螺母", "螺母", None),
    ],
)
def test_names(finder, name, object_name, looked_up):
    found = finder.find(name)
    assert (found.object_name, found.looked_up) == (object_name, looked_up)


def test_an_unknown_name_still_has_states(finder):
    found = finder.find("fryum")
    assert found.senses == ()
    assert found.states == STATES


@pytest.mark.parametrize("name", ["", "  ", "123", "__", "!?", "x" * (MAX_NAME_LENGTH + 1)])
def test_absurd_names_are_refused(finder, name):
    with pytest.raises(ValueError, match="object name"):
        finder.find(name)


def test_a_nut_is_food_or_hardware_and_no_goddess_or_person(finder):
    senses = {sense.name for sense in finder.find("nut").senses}
    assert senses == {"nut.n.01", "nut.n.03"}


@pytest.mark.parametrize("name", ["mutter", "tornillo", "test", "vision"])
def test_what_is_no_thing_of_a_line_leaves_the_bare_name(finder, name):
    # A murmur, a shrub, a shell of an amoeba, a sense.
    found = finder.find(name)
    assert (found.object_name, found.looked_up, found.senses) == (name, None, ())


def test_words_are_grouped_by_how_they_are_related(finder):
    (bottle, *_) = finder.find("bottle").senses
    assert "vessel" in bottle.words["hypernym"]
    assert "bottlecap" in bottle.words["part"]
    assert "beer bottle" in bottle.words["hyponym"]
    (hazelnut,) = finder.find("hazelnut").senses
    assert "filbert" in hazelnut.words["synonym"]


def test_a_compound_has_no_kinds_and_wholes_of_its_head(finder):
    # A juice bottle is no beer bottle; a red or metal one may be.
    for name, kinds in (("bottle", True), ("red bottle", True), ("juice bottle", False)):
        (bottle, *_) = finder.find(name).senses
        assert ("beer bottle" in bottle.words["hyponym"]) is kinds
        assert "bottlecap" in bottle.words["part"]
    assert not finder.find("saw blade").senses[0].words["whole"]


def test_no_word_twice_and_never_the_object_itself(finder):
    for name in ("bottle", "screw", "metal nut", "cookie", "wood"):
        for sense in finder.find(name).senses:
            words = [word for group in sense.words.values() for word in group]
            assert len(set(words)) == len(words)
            assert not {name, name.split()[-1]} & set(words)


@pytest.mark.parametrize(
    "word",
    ["broken", "cracked", "cracks", "scratched", "dent", "rust", "torn", "bent",
     "dirty", "contaminated", "stained", "chipped", "scrap metal", "worn", "defective",
     "damaged goods"],
)  # fmt: skip
def test_damage_is_known(finder, word):
    assert finder.means_damage(word)


@pytest.mark.parametrize(
    "word", [*STATES, "bottlecap", "hex nut", "vessel", "wine bottle", "water"]
)
def test_what_is_no_damage_is_let_through(finder, word):
    assert not finder.means_damage(word)


def test_an_object_may_be_named_after_damage(finder):
    # A chip is a blemish, and a part: its own name does not bar its kinds.
    assert finder.means_damage("chip")
    assert not finder.means_damage("chip", frozenset({"chip"}))


ABSURD = {
    "person", "worker", "guard", "dandy", "penis", "testis", "bollock", "tampon", "nipple", "cock",
    "douche", "condom", "coffin", "body bag", "flying carpet", "hangman's rope", "canopic jar",
    "Corylus", "genus Corylus", "Betulaceae", "whip", "rack", "cannabis", "lysergic acid",
}  # fmt: skip
NAMES = (
    "nut", "hazelnut", "bolt", "screw", "cap", "screw cap", "carpet", "box", "bag", "pill",
    "rubber", "rope", "pulley", "jar", "switch", "horn", "mouse", "hammer", "plug", "syringe",
    "joint", "coil", "bearing", "ring", "washer", "spring", "macaroni", "grass", "glove", "pot",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_no_word_is_a_person_a_taxon_or_rude(finder, name):
    for sense in finder.find(name).senses:
        words = [word for group in sense.words.values() for word in group]
        assert not ABSURD & set(words)
        # A proper noun may name a kind ("Phillips screw"), and is none by itself.
        assert all(word.split()[-1].islower() for word in words)
        assert not [word for word in words if word.startswith(("genus ", "family "))]


def test_masses_and_things_are_told_apart(finder):
    assert not finder.find("wood").senses[0].countable
    assert finder.find("bottle").senses[0].countable
    assert not finder.find("steel wool").senses[0].countable
    assert not finder.find("bubble wrap").countable
    assert finder.find("fryum").countable


def test_as_dict_is_json_able(finder):
    record = json.loads(json.dumps(finder.find("metal_nut").as_dict()))
    assert record["object_name"] == "metal nut"
    assert [sense["name"] for sense in record["senses"]] == ["nut.n.03", "nut.n.01"]
    assert all(sense["reason"] for sense in record["senses"])
    assert record["states"] == list(STATES)
