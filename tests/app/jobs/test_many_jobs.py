"""Several hundred jobs, listed over HTTP while new ones come in (`benchmarks/many_jobs.py`)."""

from collections import Counter

import httpx2
import pytest

from app.files.storage import Storage
from app.jobs.model import JobRequest, JobState, new_job_id
from app.jobs.store import EXPIRY_KEY, JobStore
from app.retention.sweep import MAX_JOBS_A_SWEEP, sweep_expired
from app.settings import Settings

pytestmark = pytest.mark.slow

NUM_JOBS = 500


def finished(store: JobStore) -> str:
    job_id = store.create(new_job_id(), JobRequest(object_name="nut"), 1).id
    store.start(job_id, "attempt")
    store.succeed(job_id, "attempt", {})
    return job_id


def test_a_walk_finds_each_job_once_while_new_ones_come_in(api: httpx2.Client, store: JobStore):
    ids = [finished(store) for _ in range(NUM_JOBS)]
    came, seen, query = [], Counter(), {"limit": "30"}
    while query.get("cursor", "first"):
        page = api.get("/v1/jobs", params=query).json()
        seen.update(job["id"] for job in page["items"])
        query["cursor"] = page["next_cursor"]
        came.append(finished(store))
    assert [seen[job_id] for job_id in ids] == [1] * NUM_JOBS
    assert set(seen) == set(ids)
    assert api.get("/v1/jobs", params={"limit": 1}).json()["items"][0]["id"] == max(came)


def test_a_sweep_ends_soon_and_the_last_one_leaves_nothing(store: JobStore, settings: Settings):
    storage = Storage(settings.storage_address)
    ids = [finished(store) for _ in range(2 * MAX_JOBS_A_SWEEP)]
    for job_id in ids:
        storage.write(job_id, "archive.zip", b"zip")
    store.connection.zadd(EXPIRY_KEY, dict.fromkeys(ids, 0.0))
    for _ in range(2):
        assert sweep_expired(store, storage) == MAX_JOBS_A_SWEEP
    assert sweep_expired(store, storage) == 0
    assert {store.state(job_id) for job_id in ids} == {JobState.expired}
    left = [path.name for path in settings.data_dir.rglob("*") if path.is_file()]
    assert left == ["instance"]
