"""Files come back as they were, whole or not at all; in a folder, in memory and in S3."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import app.files.s3
from app.files.storage import Storage
from app.problems import StorageFull, StorageUnavailable
from tests.s3_server import S3Server, Wire


@pytest.fixture(params=["folder", "memory", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "s3":
        return Storage(f"s3://{request.getfixturevalue('bucket')}/jobs")
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
    storage.write("a", "x/archive.zip", b"newer")
    assert storage.read("a", "x/archive.zip") == b"newer"
    assert storage.num_bytes("a", "x/archive.zip") == 5
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
    storage.write("a", "inputs/000", b"a")
    storage.write("a", "archive.zip", b"a")
    storage.write("b", "archive.zip", b"b")
    storage.write("ab", "archive.zip", b"ab")
    storage.remove("a")
    storage.remove("a")
    storage.remove("b", "preview.png")
    for name in ("archive.zip", "inputs/000"):
        with pytest.raises(StorageUnavailable):
            storage.read("a", name)
    assert storage.read("b", "archive.zip") == b"b"
    assert storage.read("ab", "archive.zip") == b"ab"
    storage.remove("b", "archive.zip")
    with pytest.raises(StorageUnavailable):
        storage.num_bytes("b", "archive.zip")


def test_a_file_that_is_not_there_cannot_be_opened(storage: Storage):
    storage.write("a", "inputs/000", b"a")
    with pytest.raises(StorageUnavailable), storage.open("a", "archive.zip"):
        pass


def test_the_check_leaves_nothing(storage: Storage):
    storage.check()
    storage.check()
    assert not storage.filesystem.find(storage.root)


def test_many_threads_share_one_storage(storage: Storage):
    def store(number: int) -> bytes:
        storage.write(str(number), "inputs/000", b"%d" % number)
        return storage.read(str(number), "inputs/000")

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(store, range(64))) == [b"%d" % number for number in range(64)]


def append_in_another_process(place: str) -> None:
    storage = Storage(place)
    storage.write("a", "inputs/001", storage.read("a", "inputs/000") + b" two")


def test_what_another_process_writes_is_seen_at_once(bucket: str):
    place = f"s3://{bucket}"
    storage = Storage(place)
    storage.write("a", "inputs/000", b"one")
    # Whatever could be kept of a listing or of a missing file would be kept now.
    assert storage.names("a", "inputs") == ["inputs/000"]
    with pytest.raises(StorageUnavailable):
        storage.num_bytes("a", "inputs/001")
    child = multiprocessing.get_context("spawn").Process(
        target=append_in_another_process, args=(place,)
    )
    child.start()
    child.join()
    assert child.exitcode == 0
    assert storage.names("a", "inputs") == ["inputs/000", "inputs/001"]
    assert storage.read("a", "inputs/001") == b"one two"


def test_a_file_in_several_parts_arrives_whole_or_leaves_no_part(
    s3_server: S3Server, wire: Wire, bucket: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(app.files.s3, "PART_BYTES", 5 * 2**20)
    content = bytes(range(256)) * 50_000
    storage = Storage(f"s3://{bucket}")
    storage.write("a", "archive.zip", content)
    assert storage.read("a", "archive.zip") == content
    assert s3_server.unfinished_uploads(bucket) == 0

    def break_off() -> None:
        with storage.replace("b", "archive.zip") as file:
            file.write(content)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert s3_server.unfinished_uploads(bucket) == 0
    assert s3_server.keys(bucket) == ["a/archive.zip"]


def test_a_bucket_that_is_not_there_is_told(wire: Wire):
    with pytest.raises(StorageUnavailable):
        Storage("s3://nobody-made-this").check()


def test_a_server_that_is_away_is_told_in_every_call(wire: Wire, bucket: str):
    storage = Storage(f"s3://{bucket}")
    storage.write("a", "archive.zip", b"zip")
    wire.cut()
    calls = (
        storage.check,
        lambda: storage.read("a", "archive.zip"),
        lambda: storage.num_bytes("a", "archive.zip"),
        lambda: storage.names("a", ""),
        # What could not be looked at does not count as removed.
        lambda: storage.remove("a"),
    )
    for call in calls:
        with pytest.raises(StorageUnavailable) as raised:
            call()
        assert "127.0.0.1" not in raised.value.detail
    wire.mend()
    assert storage.read("a", "archive.zip") == b"zip"


def test_a_full_disk_keeps_what_it_had_and_nothing_half_written(small_disk: Path):
    storage = Storage(str(small_disk / "files"))
    storage.write("a", "archive.zip", b"old")
    with pytest.raises(StorageFull):
        storage.write("a", "archive.zip", b"x" * 1_200_000)
    assert storage.names("a", "") == ["/archive.zip"]
    assert storage.read("a", "archive.zip") == b"old"
    assert len(list((small_disk / "files" / "a").iterdir())) == 1


def test_a_folder_that_went_away_is_not_made_anew(tmp_path: Path):
    """Where a disk was mounted, files would otherwise land below it."""
    root = tmp_path / "files"
    storage = Storage(str(root))
    storage.write("a", "inputs/000", b"one")
    root.rename(tmp_path / "unplugged")
    for call in (
        storage.check,
        lambda: storage.remove("a"),
        lambda: storage.read("a", "inputs/000"),
    ):
        with pytest.raises(StorageUnavailable):
            call()
    assert not root.exists()
    (tmp_path / "unplugged").rename(root)
    assert storage.read("a", "inputs/000") == b"one"


def test_a_folder_that_goes_away_in_mid_write_keeps_no_part_after_the_next_try(tmp_path: Path):
    root = tmp_path / "files"
    storage = Storage(str(root))
    storage.write("a", "inputs/000", b"one")

    def write_until_unplugged() -> None:
        with storage.replace("a", "archive.zip") as file:
            file.write(b"half")
            root.rename(tmp_path / "unplugged")

    with pytest.raises(StorageUnavailable):
        write_until_unplugged()
    (tmp_path / "unplugged").rename(root)
    assert storage.names("a", "") == ["/inputs"]
    storage.write("a", "archive.zip", b"zip")
    assert sorted(path.name for path in (root / "a").iterdir()) == ["archive.zip", "inputs"]
    assert storage.read("a", "archive.zip") == b"zip"
