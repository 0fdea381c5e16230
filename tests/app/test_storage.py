"""Files come back as they were, whole or not at all; in a folder and in memory."""

from pathlib import Path

import pytest

from app.storage import Storage


@pytest.fixture(params=["folder", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    place = str(tmp_path / "files") if request.param == "folder" else f"memory://{tmp_path}"
    return Storage(place)


def test_what_is_written_is_read(storage: Storage):
    storage.write("a", "inputs/000", b"one")
    storage.write("a", "inputs/001", b"three")
    assert storage.read("a", "inputs/001") == b"three"
    assert storage.num_bytes("a", "inputs/001") == 5
    assert storage.names("a", "inputs") == ["inputs/000", "inputs/001"]
    with storage.open("a", "inputs/001") as file:
        file.seek(2)
        assert file.read() == b"ree"


def test_writing_twice_leaves_one_file(storage: Storage):
    storage.write("a", "x/archive.zip", b"old")
    storage.write("a", "x/archive.zip", b"new")
    assert storage.read("a", "x/archive.zip") == b"new"
    assert storage.names("a", "x") == ["x/archive.zip"]


def test_a_file_that_is_not_finished_is_not_there(storage: Storage):
    storage.write("a", "x/archive.zip", b"old")

    def write_half() -> None:
        with storage.replace("a", "x/archive.zip") as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert storage.read("a", "x/archive.zip") == b"old"
    found = storage.filesystem.ls(storage.path("a", "x"), detail=False)
    assert len(found) == 1


def test_removing_a_job_leaves_the_others(storage: Storage):
    storage.write("a", "archive.zip", b"a")
    storage.write("b", "archive.zip", b"b")
    storage.remove("a")
    storage.remove("a")
    storage.remove("b", "preview.png")
    with pytest.raises(FileNotFoundError):
        storage.read("a", "archive.zip")
    assert storage.read("b", "archive.zip") == b"b"


def test_the_check_leaves_nothing(storage: Storage):
    storage.check()
    storage.check()
    assert storage.names(".check", "") == []
