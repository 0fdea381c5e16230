"""A filtered list walks through the same jobs as the whole one, and leaves out the others."""

from itertools import cycle, islice, product

import httpx2
import pytest

import app.jobs.store
from app.jobs.model import JobRequest, JobState, new_job_id
from app.jobs.store import JobStore

NAMES = ("nut", "Bolt", "nut ring")
STATES = ("queued", "running", "canceled", "succeeded")


@pytest.fixture
def jobs(store: JobStore) -> list[dict[str, str]]:
    """Thirty jobs of three names and three states, the newest first."""
    made = []
    for name, state in islice(
        zip(cycle(NAMES), cycle(["queued", "running", "canceled", "succeeded"])), 30
    ):
        job_id = store.create(new_job_id(), JobRequest(object_name=name), 1).id
        if state in ("running", "succeeded"):
            store.start(job_id, "a")
        if state == "succeeded":
            store.succeed(job_id, "a", {})
        if state == "canceled":
            store.cancel(job_id)
        made.append({"id": job_id, "name": name, "state": state})
    return sorted(made, key=lambda job: job["id"], reverse=True)


def walk(api: httpx2.Client, limit: int, **query: object) -> list[str]:
    found: list[str] = []
    cursor = None
    for _ in range(100):
        asked = {**query, "limit": limit} | ({"cursor": cursor} if cursor else {})
        page = api.get("/v1/jobs", params=asked).raise_for_status().json()
        assert len(page["items"]) <= limit
        found += [job["id"] for job in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found
    raise AssertionError("The list does not end.")


@pytest.mark.parametrize(
    "query",
    [
        {"state": "running"},
        {"state": ["queued", "canceled"]},
        {"object_name": "nut"},
        {"object_name": " BOLT "},
        {"object_name": "nut", "state": "succeeded"},
        {"object_name": "nobody"},
        {"state": "expired"},
        {},
    ],
)
def test_a_walk_finds_each_job_that_is_wanted_once_and_no_other(
    api: httpx2.Client,
    jobs: list[dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    query: dict[str, object],
):
    states = query.get("state", [job["state"] for job in jobs])
    name = query.get("object_name")
    wanted = [
        job["id"]
        for job in jobs
        if job["state"] in states
        and (name is None or job["name"].casefold() == str(name).strip().casefold())
    ]
    for limit, looked_at in product((1, 3, 100), (2, 500)):
        monkeypatch.setattr(app.jobs.store, "MAX_JOBS_LOOKED_AT", looked_at)
        assert walk(api, limit, **query) == wanted, (limit, looked_at)


def test_a_job_whose_time_is_over_counts_as_expired(store: JobStore, api: httpx2.Client):
    store.settings = store.settings.model_copy(update={"results_ttl_s": 1})
    job_id = store.create(new_job_id(), JobRequest(object_name="nut"), 1).id
    store.cancel(job_id)
    store.connection.hset(f"goodmany:job:{job_id}", "expires_at", "2026-01-01T00:00:00+00:00")
    assert walk(api, 10, state="expired") == [job_id]
    assert walk(api, 10, state="canceled") == []


@pytest.mark.parametrize("query", [{"state": "paused"}, {"object_name": ""}, {"state": ""}])
def test_a_filter_that_makes_no_sense_is_refused(api: httpx2.Client, query: dict[str, str]):
    answer = api.get("/v1/jobs", params=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].split(".")[0] in query


def test_states_are_all_known(api: httpx2.Client):
    for state in JobState:
        assert api.get("/v1/jobs", params={"state": state}).is_success
