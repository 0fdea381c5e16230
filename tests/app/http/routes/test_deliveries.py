"""Callback, expiry and the delivery log as HTTP; deliveries themselves: tests/workers."""

from datetime import UTC, datetime

import httpx2
import pytest

from app.access.api_keys import ApiKeys
from app.jobs.deliveries import MAX_DELIVERIES, Delivery, DeliveryLog, DeliveryOutcome
from app.jobs.store import OUTBOX_KEY, JobStore
from app.settings import Settings
from tests.app.http.middleware.test_require_key import Serve, with_key
from tests.app.http.routes.test_jobs import PNG, finish, post, slug


def delivery(attempt: int) -> Delivery:
    return Delivery(
        attempt=attempt,
        event="job.succeeded",
        at=datetime.now(UTC),
        outcome=DeliveryOutcome.failed,
        status_code=None,
        error="no answer",
        next_try_at=None,
    )


def test_the_log_is_listed_bounded_and_goes_with_the_job(api: httpx2.Client, store: JobStore):
    job = post(api, PNG, callback_url="https://example.com/hook?token=1").json()
    link = job["links"]["deliveries"]
    assert api.get(link).json() == {"items": []}
    log = DeliveryLog(store.connection)
    for attempt in range(1, MAX_DELIVERIES + 3):
        with store.connection.pipeline() as pipeline:
            log.append(job["id"], delivery(attempt), pipeline)
            pipeline.execute()
    items = api.get(link).json()["items"]
    assert [item["attempt"] for item in items] == list(range(3, MAX_DELIVERIES + 3))
    store.forget(job["id"])
    answer = api.get(link)
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:goodmany:problem:job-not-found"
    assert log.read(job["id"]) == []


def test_another_key_sees_none_of_it(serve_api: Serve, store: JobStore):
    api_keys = ApiKeys(store.connection)
    guarded = serve_api(require_api_key="always")
    (mine, _), (theirs, _) = with_key(guarded, api_keys), with_key(guarded, api_keys)
    with mine, theirs:
        link = post(mine, PNG, callback_url="https://example.com/hook").json()["links"][
            "deliveries"
        ]
        assert mine.get(link).status_code == 200
        answer = theirs.get(link)
        assert (answer.status_code, slug(answer)) == (404, "job-not-found")
        assert guarded.get("/v1/prompts?object_name=nut").status_code == 401


def test_without_a_callback_nothing_is_told(
    api: httpx2.Client, store: JobStore, settings: Settings
):
    job = post(api, PNG).json()
    assert job["links"]["deliveries"] is None
    assert api.get(f"/v1/jobs/{job['id']}/deliveries").json() == {"items": []}
    finish(store, settings, job["id"])
    assert store.connection.llen(OUTBOX_KEY) == 0


def test_the_callback_is_shown_to_nobody(api: httpx2.Client):
    job = post(api, PNG, callback_url="https://example.com/hook?token=s3cret").json()
    assert "s3cret" not in api.get("/v1/jobs").text + api.get(job["links"]["self"]).text


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "example.com",
        "http://",
        "https://user:password@example.com/",
        "http://127.0.0.1/",
        "http://127.1:8000/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/",
        "https://example.com/" + "a" * 2083,
    ],
)
def test_a_callback_that_cannot_be_is_refused_at_once(api: httpx2.Client, url: str):
    answer = post(api, PNG, callback_url=url)
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"callback_url"}


def test_results_are_kept_as_long_as_asked_for(
    api: httpx2.Client, store: JobStore, settings: Settings
):
    job = post(api, PNG, expires_in_s=90).json()
    finish(store, settings, job["id"])
    ended = api.get(job["links"]["self"]).json()
    kept = datetime.fromisoformat(ended["expires_at"]) - datetime.fromisoformat(ended["ended_at"])
    assert kept.total_seconds() == 90


@pytest.mark.parametrize("seconds", [0, -1, 30 * 24 * 3600 + 1, "1e3"])
def test_nobody_asks_for_more_than_there_is(api: httpx2.Client, seconds: object):
    answer = post(api, PNG, expires_in_s=seconds)
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"expires_in_s"}
