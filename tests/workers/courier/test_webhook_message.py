"""One message for one end: the same whenever it is told, and signed anew each time."""

import json
from datetime import UTC, datetime, timedelta

from standardwebhooks.webhooks import Webhook

from app.files.storage import Storage
from app.jobs.store import JobStore
from app.retention.sweep import remove_files
from app.settings import Settings
from tests.workers.courier.webhook_jobs import SECRET, succeed
from workers.courier.webhook_message import WebhookMessage


def message(store: JobStore, job_id: str) -> WebhookMessage:
    return WebhookMessage.of_job(job_id, store.get_record(job_id))


def test_it_says_how_the_job_stood_at_its_end(store: JobStore, settings: Settings):
    job_id = succeed(store, "https://example.com/hook")
    told = message(store, job_id)
    data = json.loads(told.body)["data"]
    assert data == store.get(job_id).model_dump(mode="json")
    assert (data["state"], data["links"]["archive"]) == (
        "succeeded", f"/v1/jobs/{job_id}/archive"
    )  # fmt: skip
    remove_files(store, Storage(settings.storage_address), job_id)
    assert store.get(job_id).state == "expired"
    assert message(store, job_id) == told


def test_each_try_is_signed_with_its_own_time(store: JobStore):
    told = message(store, succeed(store, "https://example.com/hook"))
    now = datetime.now(UTC)
    first, second = told.headers(SECRET, now), told.headers(SECRET, now + timedelta(seconds=30))
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-signature"] != second["webhook-signature"]
    for headers in (first, second):
        assert Webhook(SECRET).verify(told.body, headers)["type"] == "job.succeeded"
