"""Files go when their time has come, records much later, and nothing else goes."""

import time

from app.expiry import sweep
from app.job_store import EXPIRY_KEY, JobStore
from app.jobs import JobRequest, JobState, new_job_id
from app.settings import Settings
from app.storage import Storage


def finished(store: JobStore, storage: Storage) -> str:
    job_id = store.create(new_job_id(), JobRequest(object_name="nut"), 1).id
    storage.write(job_id, "archive.zip", b"zip")
    store.start(job_id, "a")
    store.succeed(job_id, "a", {})
    return job_id


def test_a_sweep_takes_only_what_is_due(store: JobStore, settings: Settings):
    storage = Storage(settings.storage_place)
    kept = finished(store, storage)
    store.settings = settings.model_copy(update={"results_ttl_s": 1})
    due = finished(store, storage)
    assert sweep(store, storage) == 0
    time.sleep(1.05)
    # Told at once, by the clock; removed by the next sweep.
    assert store.get(due).state is JobState.expired
    assert sweep(store, storage) == 1
    assert sweep(store, storage) == 0
    assert store.state(due) is JobState.expired
    assert not storage.filesystem.exists(storage.path(due, "archive.zip"))
    assert store.get(kept).state is JobState.succeeded
    assert storage.read(kept, "archive.zip") == b"zip"


def test_the_record_of_an_expired_job_is_forgotten_at_last(store: JobStore, settings: Settings):
    storage = Storage(settings.storage_place)
    store.settings = settings.model_copy(update={"results_ttl_s": 1, "records_ttl_s": 1})
    job_id = finished(store, storage)
    for _ in range(2):
        time.sleep(1.05)
        assert sweep(store, storage) == 1
    assert store.state(job_id) is None
    assert store.page(None, 10).items == []
    assert store.connection.zcard(EXPIRY_KEY) == 0
    assert not list(store.connection.scan_iter(f"*{job_id}*")) or all(
        key.startswith(b"rq:") for key in store.connection.scan_iter(f"*{job_id}*")
    )
