"""What names on a factory's floor mean: the thing itself, by a list written by hand (`names.csv`).

Columns: `name` as a user writes it; `text`, the bare prompt it becomes; `head`, the thing; `sense`,
WordNet's right meanings of it separated by `|`, `-` where the bare name is right, empty where
several would do.
"""

import csv
from pathlib import Path

import nltk
import pytest

from models.prompt.texts import candidate_texts
from models.prompt.wordnet import load_wordnet
from models.prompt.words import ObjectWordFinder, ObjectWords

ROWS = list(csv.DictReader(Path(__file__).with_name("names.csv").open(encoding="utf-8")))


@pytest.fixture(scope="module")
def finder(tmp_path_factory):
    paths = list(nltk.data.path)
    yield ObjectWordFinder(load_wordnet(tmp_path_factory.mktemp("cache")))
    nltk.data.path[:] = paths


def bare_text(found: ObjectWords) -> str:
    countable = not found.senses or found.senses[0].countable
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
