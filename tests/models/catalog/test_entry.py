"""What a digest is worth: any other byte, name or file is told."""

from pathlib import Path

import pytest

from models.catalog.entry import Model, ModelFile, folder_digest

# `git hash-object` of a file that holds "hello\n".
HELLO = "ce013625030ba8dba906f756967f9e9ca394464a"


def model(*files: ModelFile) -> Model:
    return Model(role="vqgan", name="small", purpose="draws", source="a box", files=files)


def test_a_file_is_what_it_was_until_a_byte_changes(tmp_path: Path):
    path = tmp_path / "weights"
    path.write_bytes(b"weights")
    file = ModelFile(path, ModelFile(path).measure())
    model(file).check()
    path.write_bytes(b"weightz")
    with pytest.raises(RuntimeError, match=str(path)):
        model(file).check()


def test_a_hubs_small_file_is_known_as_git_knows_it(tmp_path: Path):
    path = tmp_path / "config.json"
    path.write_bytes(b"hello\n")
    ModelFile(path, f"git:{HELLO}").check()


@pytest.mark.parametrize("change", ["content", "name", "more"])
def test_a_folders_digest_tells_every_change_but_carriage_returns(tmp_path: Path, change: str):
    (tmp_path / "a").write_bytes(b"one\r\ntwo\r\n")
    before = folder_digest(tmp_path)
    (tmp_path / "a").write_bytes(b"one\ntwo\n")
    assert folder_digest(tmp_path) == before
    if change == "content":
        (tmp_path / "a").write_bytes(b"one\ntoo\n")
    elif change == "name":
        (tmp_path / "a").rename(tmp_path / "b")
    else:
        (tmp_path / "b").touch()
    assert folder_digest(tmp_path) != before


def test_what_is_not_there_is_told(tmp_path: Path):
    gone = ModelFile(tmp_path / "gone", "sha256:0")
    assert not model(gone).is_present
    with pytest.raises(RuntimeError, match="gone"):
        model(gone).check()
    for nowhere in (model(), model(ModelFile(None, "sha256:0"))):
        assert not nowhere.is_present
        assert nowhere.size_bytes == 0
        with pytest.raises(RuntimeError, match=r"small is not on this machine.*a box"):
            nowhere.check()


def test_a_file_of_the_users_own_is_compared_with_nothing(tmp_path: Path):
    path = tmp_path / "own"
    path.write_bytes(b"own")
    own = model(ModelFile(path))
    own.check()
    assert not own.is_comparable
    assert own.size_bytes == 3
