"""What names on a factory's floor mean: the thing itself, by a list written by hand (`names.csv`).

Columns: `name` as a user writes it; `text`, the bare prompt it becomes; `head`, the thing; `sense`,
WordNet's right meanings of it separated by `|`, `-` where the bare name is right, empty where
several would do.
"""

import csv
from pathlib import Path
from random import Random

import pytest

from models.prompt.texts import candidate_texts
from models.prompt.words import ObjectWordFinder, ObjectWords

LIST = Path(__file__).with_name("names.csv")
ROWS = list(csv.DictReader(LIST.read_text(encoding="utf-8").splitlines()))


@pytest.fixture(scope="module")
def finder(wordnet):
    return ObjectWordFinder(wordnet)


def bare_text(found: ObjectWords) -> str:
    countable = found.senses[0].countable if found.senses else found.countable
    return next(iter(candidate_texts(found.object_name, {}, countable)))[0]


def names_the_head(found: ObjectWords, head: str) -> bool:
    """Whether what was looked up, if anything, is the head or ends in it ("hubcap" in "cap")."""
    last = found.object_name.split(" of ")[0].split()[-1]
    if found.looked_up is None:
        return last == head
    return found.looked_up.replace(" ", "").endswith(head.replace("-", ""))


def is_right_sense(found: ObjectWords, right: str) -> bool:
    chosen = found.senses[0].name if found.senses else "-"
    return not right or chosen in right.split("|")


ENGLISH = (
    "hex nut", "bolt", "cap", "metal nut", "juice bottle", "pcb", "o-ring", "toothbrush",
    "pair of pliers", "steel wool", "spark plug", "fryum", "bag of screws", "tail light",
)  # fmt: skip
AFTER = (
    " M8", " DIN 934", " ISO 4017 M6x20-8.8", " A2-70", " 4711-0815", " rev C", " Rev. 3", " v2",
    " type A", " Type II", " (50 pcs)", ", 10 mm", " 5 x 20 mm", " size 9", "_02", "-007", " LH",
    " No. 5", " #3", " 1/4-20 UNC", " Ø8", " for pump", " with washer M8", " B",
)  # fmt: skip
BEFORE = ("M8 ", "4711-0815 ", "DIN 934 ", "10 mm ", "2x ", "the ", "photo of a ", "001_")


def test_the_list_is_long_and_wide():
    assert len({row["name"] for row in ROWS}) == len(ROWS) >= 150
    assert sum(row["sense"] != "" for row in ROWS) >= 60


def test_names_on_the_list_are_understood(finder):
    found = {row["name"]: finder.find(row["name"]) for row in ROWS}
    wrong = {
        "head": [r["name"] for r in ROWS if not names_the_head(found[r["name"]], r["head"])],
        "sense": [
            f"{r['name']}: {found[r['name']].senses[0].name if found[r['name']].senses else '-'}"
            for r in ROWS
            if not is_right_sense(found[r["name"]], r["sense"])
        ],
        "text": [
            f"{r['name']}: {bare_text(found[r['name']])}"
            for r in ROWS
            if bare_text(found[r["name"]]) != r["text"]
        ],
    }
    counts = {kind: f"{len(ROWS) - len(rows)} of {len(ROWS)} right" for kind, rows in wrong.items()}
    assert not any(wrong.values()), (counts, wrong)


@pytest.mark.parametrize("name", ENGLISH)
def test_designations_name_nothing(finder, name):
    bare = finder.find(name)
    for written in [name + after for after in AFTER] + [before + name for before in BEFORE]:
        found = finder.find(written)
        assert (written, found.object_name, found.looked_up) == (
            written, bare.object_name, bare.looked_up,
        )  # fmt: skip


@pytest.mark.parametrize("quality", ["red", "light blue", "brass", "left", "threaded", "small"])
@pytest.mark.parametrize("name", ["cap", "pump housing", "washer", "fryum"])
def test_qualities_stand_anywhere(finder, name, quality):
    first = finder.find(f"{quality} {name}")
    assert first.object_name == f"{quality} {name}"
    for form in ("{} {}", "{}, {}", "{} ({})", "{}_{}", "{} - {}", "{} M8 {}"):
        assert finder.find(form.format(name, quality)) == first


def test_the_name_of_a_name_is_itself(finder):
    once = [finder.normalise(row["name"]) for row in ROWS]
    assert [finder.normalise(name) for name in once] == once


@pytest.mark.parametrize(
    ("british", "american"),
    [("aluminium casting", "aluminum casting"), ("grey cap", "gray cap"), ("tyre", "tire"),
     ("brake disc", "brake disk"), ("plastic mould", "plastic mold"), ("vernier calliper",
     "vernier caliper"), ("bench vice", "bench vise"), ("fibre disc", "fiber disk")],
)  # fmt: skip
def test_both_spellings_mean_one_thing(finder, british, american):
    here, there = finder.find(british), finder.find(american)
    assert here.senses
    assert [(s.name, s.points) for s in here.senses] == [(s.name, s.points) for s in there.senses]


@pytest.mark.parametrize(
    "name",
    ["Sechskantmutter", "Schraube M8", "Lager", "Kappe rot", "boulon", "écrou", "rondelle plate",
     "joint de culasse", "tornillo", "tapa roja", "dado", "vite", "bouchon de bouteille", "śruba",
     "螺母", "болт", "ボルト"],
)  # fmt: skip
def test_another_language_is_not_read_as_english(finder, name):
    found = finder.find(name)
    assert (found.looked_up, found.senses) == (None, ())


@pytest.mark.parametrize("name", ["bolt A2-70", "screw M8", "cap (red)", "housing v2", "lid IV"])
def test_candidates_speak_of_the_thing_alone(finder, name):
    # Vitamin A, metre, redness, vanadium, intravenous: once a word of the prompt.
    found = finder.find(name)
    assert found.looked_up == name.split()[0]
    assert found.senses


def test_every_meaning_says_why(finder):
    for row in ROWS:
        senses = finder.find(row["name"]).senses
        assert all(sense.reason for sense in senses)
        points = [sense.points for sense in senses]
        assert points == sorted(points, reverse=True)


def test_any_mixture_of_words_is_read(finder):
    words = [word for row in ROWS for word in row["name"].split()]
    random = Random(0)
    marks = [*"()[],;:-_/+&#.*'°Ø½", "of", "and", "made", "with", "no", "type", "P/N", "w/o", "I"]
    for _ in range(300):
        chosen = [random.choice((random.choice(words), random.choice(marks))) for _ in range(5)]
        name = random.choice((" ", "", "_", "-")).join(chosen)[:80]
        if any(character.isalpha() for character in name):
            found = finder.find(name)
            assert found.object_name.strip() == found.object_name != ""
            assert not found.senses or found.looked_up
