"""Files go when their time has come, records much later, orphans too, and nothing else goes."""

import time
from pathlib import Path

import pytest

from app.files.storage import Storage
from app.jobs.model import JOB_ID, JobRequest, JobState, new_job_id, time_of_job_id
from app.jobs.store import EXPIRY_KEY, JobStore
from app.retention.sweep import ORPHANS_LOCK_KEY, sweep_expired, sweep_orphans
from app.settings import Settings
from tests.conftest import wait_until


def finished(store: JobStore, storage: Storage) -> str:
    job_id = store.create(new_job_id(), JobRequest(object_name="nut"), 1).id
    storage.write(job_id, "archive.zip", b"zip")
    store.start(job_id, "a")
    store.succeed(job_id, "a", {})
    return job_id


def test_a_sweep_takes_only_what_is_due(store: JobStore, settings: Settings):
    storage = Storage(settings.storage_address)
    kept = finished(store, storage)
    store.settings = settings.model_copy(update={"results_ttl_s": 1})
    assert sweep_expired(store, storage) == 0
    due = finished(store, storage)
    # Told at once, by the clock; removed by the next sweep.
    wait_until(lambda: store.get(due).state is JobState.expired)
    assert sweep_expired(store, storage) == 1
    assert sweep_expired(store, storage) == 0
    assert store.state(due) is JobState.expired
    assert not storage.filesystem.exists(storage.path(due, "archive.zip"))
    assert store.get(kept).state is JobState.succeeded
    assert storage.read(kept, "archive.zip") == b"zip"


def test_the_record_of_an_expired_job_is_forgotten_at_last(store: JobStore, settings: Settings):
    storage = Storage(settings.storage_address)
    store.settings = settings.model_copy(update={"results_ttl_s": 1, "records_ttl_s": 1})
    job_id = finished(store, storage)
    for _ in ("files", "record"):
        wait_until(lambda: sweep_expired(store, storage) == 1)
    assert store.state(job_id) is None
    assert store.page(None, 10).items == []
    assert store.connection.zcard(EXPIRY_KEY) == 0
    # What RQ keeps of a job has a time to live of its own.
    left = list(store.connection.scan_iter(f"*{job_id}*"))
    assert [key for key in left if not key.startswith(b"rq:")] == []


@pytest.fixture
def storage(settings: Settings) -> Storage:
    return Storage(settings.storage_address)


def look(store: JobStore, storage: Storage, in_s: float = 0.0) -> int:
    store.connection.delete(ORPHANS_LOCK_KEY)
    return sweep_orphans(store, storage, time.time() + in_s)


def test_uploads_without_a_job_go_after_the_time_of_the_setting(store: JobStore, storage: Storage):
    orphan, kept = new_job_id(), new_job_id()
    for job_id in (orphan, kept):
        storage.write(job_id, "inputs/000", b"image")
    Path(storage.path(orphan, "inputs/001.1234.part")).write_bytes(b"ima")
    store.create(kept, JobRequest(object_name="nut"), 1)
    ttl_s = store.settings.orphans_ttl_s
    assert look(store, storage, ttl_s - 5) == 0
    assert look(store, storage, ttl_s + 5) == 1
    assert [name for name in storage.job_ids() if JOB_ID.fullmatch(name)] == [kept]
    assert storage.read(kept, "inputs/000") == b"image"


def test_what_has_no_jobs_name_is_not_ours(store: JobStore, storage: Storage):
    storage.write("lost+found", "x", b"")
    storage.write(".check", "x", b"")
    assert look(store, storage, 10**9) == 0
    assert {".check", "lost+found"} < set(storage.job_ids())


def test_an_empty_storage_has_no_orphans(store: JobStore, storage: Storage):
    assert look(store, storage) == 0


def test_the_storage_is_listed_once_an_hour(store: JobStore, storage: Storage):
    assert look(store, storage) == 0
    storage.write(new_job_id(), "inputs/000", b"image")
    assert sweep_orphans(store, storage, time.time() + 10**9) == 0


def test_a_jobs_id_says_when_it_was_made():
    before = time.time()
    assert before - 0.001 <= time_of_job_id(new_job_id()) <= time.time()
