"""Uploads without a job go after a while; everything that belongs to a job stays."""

import time
from pathlib import Path

import pytest

from app.job_store import JobStore
from app.jobs import JobRequest, new_job_id, time_of_job_id
from app.orphans import LOCK_KEY, sweep_orphans
from app.settings import Settings
from app.storage import Storage


@pytest.fixture
def storage(settings: Settings) -> Storage:
    return Storage(settings.storage_place)


def look(store: JobStore, storage: Storage, in_s: float = 0.0) -> int:
    store.connection.delete(LOCK_KEY)
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
    assert storage.job_ids() == [kept]
    assert storage.read(kept, "inputs/000") == b"image"


def test_what_has_no_jobs_name_is_not_ours(store: JobStore, storage: Storage):
    storage.write("lost+found", "x", b"")
    storage.write(".check", "x", b"")
    assert look(store, storage, 10**9) == 0
    assert sorted(storage.job_ids()) == [".check", "lost+found"]


def test_an_empty_storage_has_no_orphans(store: JobStore, storage: Storage):
    assert look(store, storage) == 0


def test_the_storage_is_listed_once_an_hour(store: JobStore, storage: Storage):
    assert look(store, storage) == 0
    storage.write(new_job_id(), "inputs/000", b"image")
    assert sweep_orphans(store, storage, time.time() + 10**9) == 0


def test_a_jobs_id_says_when_it_was_made():
    before = time.time()
    assert before - 0.001 <= time_of_job_id(new_job_id()) <= time.time()
