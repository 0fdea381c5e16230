"""Records of another version: read as far as they are understood, and in nobody's way."""

import json

import httpx2
import pytest

from app.files.storage import Storage
from app.jobs.deliveries import DeliveryLog
from app.jobs.model import JobRequest, JobState, new_job_id
from app.jobs.store import EXPIRY_KEY, JobStore
from app.retention.sweep import sweep_expired
from app.settings import Settings

NEWER_REQUEST = {
    "object_name": "nut",
    "num_images": 4,
    "priority": "whenever",
    "effort": "heroic",
    "invariances": ["fold"],
    "pose": {"new": True},
    "callback_url": "https://example.com/",
}
INPUT = {"bit_depth": 8, "channels": 1, "orientation": 1, "white": 255}
# Each stands for a way in which a record can differ; `None` takes the field away.
CHANGES: dict[str, dict[str, str | None]] = {
    "newer state": {"state": "paused"},
    "newer final state": {"state": "archived", "ended_at": "2026-01-01T00:00:00+00:00"},
    "newer stage": {"stage": "polish"},
    "newer request": {"request": json.dumps(NEWER_REQUEST)},
    "newer problem": {"problem": json.dumps({"kind": 7})},
    "newer field": {"colour": "blue", "log_fields": "[1]"},
    "no JSON": {"request": "\xff{", "problem": "{", "log_fields": "}"},
    "no numbers": {"percent": "half", "num_images": "inf", "num_inputs": "x", "losses": "y"},
    "no size": {"inputs": json.dumps([{**INPUT, "width": 0, "height": -1}])},
    "no times": {"created_at": "now", "expires_at": "later", "state_since": "then"},
    "local times": {"created_at": "2026-01-01T00:00:00"},
    "only a time": dict.fromkeys(
        ["state", "owner", "percent", "num_images", "num_inputs", "request", "state_since"]
    ),
}


def create(
    store: JobStore, change: dict[str, str | None], callback_url: str = "https://a.example"
) -> str:
    asked = JobRequest.model_validate({"object_name": "nut", "callback_url": callback_url})
    job_id = store.create(new_job_id(), asked, 1).id
    alter(store, job_id, change)
    return job_id


def alter(store: JobStore, job_id: str, change: dict[str, str | None]) -> None:
    key = f"goodmany:job:{job_id}"
    for field, value in change.items():
        if value is None:
            store.connection.hdel(key, field)
        else:
            store.connection.hset(key, field, value)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_it_is_listed_read_canceled_and_deleted(
    store: JobStore, api: httpx2.Client, change: dict[str, str | None]
):
    before, job_id, after = create(store, {}), create(store, change), create(store, {})
    listed = api.get("/v1/jobs").raise_for_status().json()["items"]
    assert [job["id"] for job in listed] == [after, job_id, before]
    here = f"/v1/jobs/{job_id}"
    state = api.get(here).raise_for_status().json()["state"]
    assert state in set(JobState)
    with api.stream("GET", f"{here}/events") as events:
        assert events.status_code == 200
    assert api.get(f"{here}/deliveries").is_success
    is_over = JobState(state).is_over
    assert api.get(f"{here}/archive").status_code == 409
    assert api.post(f"{here}/cancel").status_code == (409 if is_over else 202)
    assert api.delete(here).status_code == 204
    assert api.get(here).json()["state"] == "expired"
    assert api.get("/metrics").is_success


def test_a_state_that_is_not_known_has_a_problem_when_the_job_is_over(store: JobStore):
    job = store.get(create(store, CHANGES["newer final state"]))
    assert job.state is JobState.failed
    assert job.problem is not None
    assert "another version" in job.problem.detail


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_it_goes_through_all_of_its_life(store: JobStore, change: dict[str, str | None]):
    job_id = create(store, change)
    if store.get(job_id).state.is_over:
        return
    assert store.start(job_id, "a")
    assert store.progress(job_id, "a", {"percent": "50"})
    assert store.requeue(job_id)
    assert store.start(job_id, "b")
    assert store.succeed(job_id, "b", {})
    assert store.expire(job_id)
    store.forget(job_id)
    assert store.state(job_id) is None


def test_what_is_no_job_does_not_hold_up_the_sweep(store: JobStore, settings: Settings):
    job_id = create(store, {})
    store.start(job_id, "a")
    store.succeed(job_id, "a", {})
    store.connection.zadd(EXPIRY_KEY, {"\xff no job": 1, job_id: 2})
    assert sweep_expired(store, Storage(settings.storage_address)) == 2
    assert store.state(job_id) is JobState.expired
    store.connection.zadd("goodmany:jobs", {"f" * 31 + "z": 0})
    assert [job.id for job in store.page(None, 10).items] == [job_id]


@pytest.mark.parametrize(
    "line",
    ['{"outcome": "postponed", "attempt": 1, "event": "job.paused", "at": 0}', "{}", "\xff"],
)
def test_a_try_that_another_version_has_noted(api: httpx2.Client, store: JobStore, line: str):
    job_id = create(store, {})
    store.connection.rpush(f"goodmany:job:{job_id}:deliveries", line)
    answer = api.get(f"/v1/jobs/{job_id}/deliveries").raise_for_status()
    assert [found["outcome"] for found in answer.json()["items"]] in ([], ["failed"])
    assert isinstance(DeliveryLog(store.connection).has_tried(job_id, 1), bool)


def test_a_worker_of_another_version_tells_its_memory(store: JobStore, api: httpx2.Client):
    store.connection.zadd("goodmany:workers", {"newer": 10**12})
    store.connection.set("goodmany:worker:newer:device-memory", '{"device": "cuda", "new": 1}')
    assert "goodmany_workers 1.0" in api.get("/metrics").text
