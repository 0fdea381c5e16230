"""A folder that fills up or goes away between a job's images and its archive; all is real."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.files.storage import Storage
from app.jobs.model import JobState
from app.jobs.store import JobStore
from app.problems import Problem, StorageFull, StorageUnavailable
from tests.conftest import WorkerProcess, wait_until
from tests.workers.generation.held_pipeline import GO_KEY, HELD_KEY
from tests.workers.generation.test_storage_outage import OUTPUTS, outputs, submit, taken

pytestmark = pytest.mark.slow

StartWorker = Callable[..., WorkerProcess]
LOADER = "tests.workers.generation.held_pipeline:load"
PATIENCE_S = 4
# Enough for the archive of one small image, and not for the preview after it.
ROOM_BYTES = 48 * 1024


class HeldJobs:
    """Jobs of one worker on a folder, each held when its images are made.

    Args:
        root: of the storage; it must be there.
        capfd: hears the worker's log, which says that an outage was met.
    """

    def __init__(self, store: JobStore, root: Path, capfd: pytest.CaptureFixture[str]):
        self.store, self.root, self.storage = store, root, Storage(str(root))
        self.capfd = capfd

    def hold(self) -> str:
        """A new job whose images are made and whose archive is not begun."""
        job_id = submit(self.store, self.storage, 1)
        wait_until(lambda: bool(self.store.connection.lpop(HELD_KEY)))
        return job_id

    def release(self, *, into: str = "") -> None:
        """Lets the job write its files; with `into`, returns when the outage has stopped it."""
        self.capfd.readouterr()
        self.store.connection.rpush(GO_KEY, 1)
        if into:
            wait_until(lambda: f"waiting: {into}" in self.capfd.readouterr().err)

    def assert_succeeds(self, job_id: str) -> None:
        wait_until(lambda: self.store.get(job_id).state.is_over and not taken(self.store))
        assert self.store.state(job_id) is JobState.succeeded
        assert outputs(self.store, self.storage, job_id) == OUTPUTS
        assert sorted(self.files(job_id)) == ["000", *OUTPUTS]

    def assert_fails(self, job_id: str, problem: type[Problem]) -> None:
        wait_until(lambda: self.store.get(job_id).state.is_over and not taken(self.store))
        told = self.store.get(job_id).problem
        assert told is not None
        assert (told.status, told.type) == (problem.status, f"urn:goodmany:problem:{problem.slug}")

    def files(self, job_id: str) -> list[str]:
        """The names of all files of the job, unfinished ones too."""
        return [path.name for path in (self.root / job_id).rglob("*") if path.is_file()]


def fill(disk: Path) -> Path:
    """Leaves no more than ROOM_BYTES of the disk; returns the file that takes the rest."""
    filler, room = disk / "filler", os.statvfs(disk)
    filler.write_bytes(bytes(room.f_bavail * room.f_frsize - ROOM_BYTES))
    return filler


def test_a_full_disk(
    store: JobStore,
    start_worker: StartWorker,
    small_disk: Path,
    capfd: pytest.CaptureFixture[str],
):
    root = small_disk / "files"
    root.mkdir()
    worker = start_worker(LOADER, storage_url=str(root), outage_patience_s=PATIENCE_S)
    jobs = HeldJobs(store, root, capfd)

    patient = jobs.hold()
    filler = fill(small_disk)
    jobs.release(into="The storage is full.")
    assert store.state(patient) is JobState.running
    assert "archive.zip" in jobs.files(patient)
    filler.unlink()
    jobs.assert_succeeds(patient)

    failed = jobs.hold()
    filler = fill(small_disk)
    jobs.release()
    jobs.assert_fails(failed, StorageFull)
    wait_until(lambda: jobs.files(failed) == ["000"])

    filler.unlink()
    following = jobs.hold()
    jobs.release()
    jobs.assert_succeeds(following)
    assert worker.process.is_alive()


def test_the_last_room_is_left_to_redis(
    store: JobStore,
    start_worker: StartWorker,
    small_disk: Path,
    capfd: pytest.CaptureFixture[str],
):
    """The disk has room for the job's files, and they would take it from a Redis beside them."""
    root = small_disk / "files"
    root.mkdir()
    start_worker(LOADER, data_dir=small_disk, disk_reserve_bytes=2 * (ROOM_BYTES + 2**14))
    jobs = HeldJobs(store, root, capfd)
    job_id = jobs.hold()
    filler = fill(small_disk)
    jobs.release(into="The storage is full.")
    assert jobs.files(job_id) == ["000"]
    filler.unlink()
    jobs.assert_succeeds(job_id)


def test_a_folder_that_is_gone(
    store: JobStore, start_worker: StartWorker, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    root, unplugged = tmp_path / "files", tmp_path / "unplugged"
    root.mkdir()
    worker = start_worker(LOADER, storage_url=str(root), outage_patience_s=PATIENCE_S)
    jobs = HeldJobs(store, root, capfd)

    patient = jobs.hold()
    root.rename(unplugged)
    jobs.release(into="The storage is away.")
    assert store.state(patient) is JobState.running
    # Nothing was written to where the disk had been.
    assert not root.exists()
    unplugged.rename(root)
    jobs.assert_succeeds(patient)

    failed = jobs.hold()
    root.rename(unplugged)
    jobs.release()
    jobs.assert_fails(failed, StorageUnavailable)
    assert not root.exists()

    unplugged.rename(root)
    assert jobs.files(failed) == ["000"]
    following = jobs.hold()
    jobs.release()
    jobs.assert_succeeds(following)
    assert worker.process.is_alive()
