"""Files in a folder: on the disk before anybody is told, and for their owner alone."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from app.files.storage import Storage
from app.jobs.store import JobStore
from app.settings import Settings
from tests.conftest import encode, texture


class Disk:
    """Notes what is brought to the disk, and what the file system had when it was."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.synced: list[Path] = []
        sync = os.fsync

        def fsync(descriptor: int) -> None:
            self.synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
            sync(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_a_file_and_its_name_are_on_the_disk_when_it_is_written(disk: Disk, tmp_path: Path):
    storage = Storage(str(tmp_path / "files"))
    storage.write("a", "inputs/000", b"image")
    root = tmp_path / "files"
    # The job's folder, the inputs' folder, the file, and at last the file's name.
    assert disk.synced == [
        root,
        root / "a",
        root / "a" / "inputs" / "000.part",
        root / "a" / "inputs",
    ]


def test_the_inputs_are_on_the_disk_before_the_job_is_accepted(
    disk: Disk,
    serve_api: Callable[..., httpx2.Client],
    store: JobStore,
    monkeypatch: pytest.MonkeyPatch,
):
    synced_before: list[int] = []
    create = JobStore.create

    def noted_create(*args: object, **options: object) -> object:
        synced_before.append(len(disk.synced))
        return create(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(JobStore, "create", noted_create)
    files = [("images", (name, encode(texture()))) for name in ("a.png", "b.png")]
    answer = serve_api().post("/v1/jobs", data={"object_name": "nut"}, files=files)
    assert answer.status_code == 202
    job_id = answer.json()["id"]
    names = [path.name for path in disk.synced[: synced_before[0]] if job_id in str(path)]
    assert names == [job_id, "000.part", "inputs", "001.part", "inputs"]


def test_nobody_else_can_read_them(tmp_path: Path):
    before = os.umask(0o000)
    try:
        storage = Storage(str(tmp_path / "files"))
        storage.write("a", "inputs/000", b"image")
        with storage.replace("a", "outputs/x/archive.zip") as file:
            file.write(b"zip")
        storage.write_mark("id")
    finally:
        os.umask(before)
    for path in (tmp_path / "files", *(tmp_path / "files").rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert (path, oct(mode)) == (path, "0o700" if path.is_dir() else "0o600")


def test_a_folder_of_settings_is_made_with_its_parents(tmp_path: Path):
    settings = Settings(data_dir=tmp_path / "new" / "data")
    Storage(settings.storage_address).write("a", "inputs/000", b"image")
    assert (tmp_path / "new" / "data" / "files" / "a").is_dir()
