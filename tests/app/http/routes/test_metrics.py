"""Scrapes of the real API, read by Prometheus's own parser."""

from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from app.files.storage import Storage
from app.jobs.deliveries import Delivery, DeliveryLog, DeliveryOutcome
from app.jobs.model import JobRequest, new_job_id
from app.jobs.store import JobStore
from app.observability.live_workers import DeviceMemory, LiveWorkers
from app.problems import WorkerLost
from app.retention.sweep import remove_files
from app.settings import Settings
from tests.conftest import served
from workers.serve.embedded_redis import EmbeddedRedis

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(api: httpx2.Client) -> Samples:
    answer = api.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse_text(answer.text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((f"goodmany_{name}", frozenset(labels.items())))


def create(store: JobStore) -> str:
    return store.create(new_job_id(), JobRequest(object_name="nut"), 1).id


def transitions(samples: Samples, before: str, after: str) -> float | None:
    return value(samples, "job_transitions_total", from_state=before, to_state=after)


def test_jobs_are_counted_by_state_through_their_whole_life(
    api: httpx2.Client, store: JobStore, settings: Settings
):
    done, failed, canceled, waiting = (create(store) for _ in range(4))
    store.start(done, "a")
    store.progress(done, "a", {"percent": "50"})
    store.start(failed, "a")
    first = scrape(api)
    assert value(first, "jobs", state="running") == 2
    assert value(first, "jobs", state="queued") == 2
    depths = [value(first, "queue_jobs", queue=queue.name) for queue in store.queues]
    assert sorted(depths) == [0, 4]
    assert transitions(first, "none", "queued") == 4
    assert transitions(first, "queued", "running") == 2

    assert store.succeed(done, "a", {})
    assert store.succeed(done, "a", {})
    store.fail(failed, WorkerLost("It died."))
    store.cancel(canceled)
    second = scrape(api)
    states = ("queued", "running", "succeeded", "failed", "canceled", "expired")
    assert [value(second, "jobs", state=state) for state in states] == [1, 0, 1, 1, 1, 0]
    assert transitions(second, "running", "succeeded") == 1
    assert transitions(second, "queued", "canceled") == 1

    remove_files(store, Storage(settings.storage_address), done)
    store.forget(failed)
    third = scrape(api)
    assert [value(third, "jobs", state=state) for state in states] == [1, 0, 0, 0, 1, 1]
    assert transitions(third, "running", "succeeded") == 1
    assert waiting


def test_times_in_a_state_are_a_histogram(api: httpx2.Client, store: JobStore):
    for _ in range(3):
        job_id = create(store)
        store.connection.hincrbyfloat(f"goodmany:job:{job_id}", "state_since", -20)
        store.start(job_id, "a")
    samples = scrape(api)

    def bucket(bound: str) -> float | None:
        labels = {"state": "queued", "next_state": "running", "le": bound}
        return value(samples, "job_state_duration_seconds_bucket", **labels)

    assert (bucket("10.0"), bucket("30.0"), bucket("+Inf")) == (0, 3, 3)
    labels = {"state": "queued", "next_state": "running"}
    assert value(samples, "job_state_duration_seconds_count", **labels) == 3
    total_s = value(samples, "job_state_duration_seconds_sum", **labels)
    assert total_s == pytest.approx(60, abs=5)


def test_a_requeued_job_waits_anew(api: httpx2.Client, store: JobStore):
    before = scrape(api)
    assert transitions(before, "running", "queued") == 0
    job_id = create(store)
    store.start(job_id, "a")
    store.requeue(job_id)
    store.start(job_id, "b")
    samples = scrape(api)
    assert transitions(samples, "running", "queued") == 1
    assert transitions(samples, "queued", "running") == 2
    assert value(samples, "jobs", state="running") == 1


def test_tries_of_webhooks_are_counted_from_zero(api: httpx2.Client, store: JobStore):
    delivery = Delivery(
        attempt=1,
        event="job.succeeded",
        at=datetime.now(UTC),
        outcome=DeliveryOutcome.failed,
        status_code=503,
        error=None,
        next_try_at=None,
    )
    with store.connection.pipeline() as pipeline:
        DeliveryLog(store.connection).append(create(store), delivery, pipeline)
        pipeline.execute()
    samples = scrape(api)
    assert value(samples, "webhook_deliveries_total", outcome="failed") == 1
    assert value(samples, "webhook_deliveries_total", outcome="delivered") == 0


def test_live_workers_and_their_device_memory(api: httpx2.Client, store: JobStore):
    workers = LiveWorkers(store.connection)
    for name in ("a", "b", "gone"):
        workers.beat(name)
    memory = DeviceMemory(device="cuda:0", allocated_bytes=5, reserved_bytes=7, total_bytes=9)
    workers.note_device_memory("b", memory)
    workers.note_device_memory("gone", memory)
    workers.leave("gone")
    samples = scrape(api)
    assert value(samples, "workers") == 2
    for kind, expected in (("allocated", 5), ("reserved", 7), ("total", 9)):
        name = f"device_memory_{kind}_bytes"
        assert value(samples, name, worker="b", device="cuda:0") == expected
        assert value(samples, name, worker="gone", device="cuda:0") is None


def test_requests_are_counted_by_template_and_never_by_path(api: httpx2.Client):
    for path in ("/v1/jobs/1", "/v1/jobs/2", "/nowhere", "/wp-login.php", "/a%0Ab"):
        api.get(path)
    api.request("BREW", "/v1/jobs")
    samples = scrape(api)
    counts = {
        tuple(dict(labels)[name] for name in ("method", "route", "status")): number
        for (name, labels), number in samples.items()
        if name == "goodmany_http_requests_total"
    }
    assert counts == {
        ("GET", "/v1/jobs/{job_id}", "404"): 2,
        ("GET", "none", "404"): 3,
        ("OTHER", "/v1/jobs", "405"): 1,
    }
    labels = {"method": "GET", "route": "none"}
    assert value(samples, "http_request_duration_seconds_count", **labels) == 3


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("", "text/plain; version=0.0.4"),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text; version=1"),
        ("application/openmetrics-text; version=x", "text/plain; version=0.0.4"),
        ("text/plain; version=1.0.0; escaping=x", "text/plain; version=1.0.0"),
        ("\xff, */*;q=", "text/plain; version=0.0.4"),
    ],
)
def test_the_format_is_what_is_asked_for(api: httpx2.Client, accept: str, answered: str):
    answer = api.get("/metrics", headers={"Accept": accept.encode("latin-1")})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(answered)
    parse = parse_openmetrics if "openmetrics" in answered else parse_text
    names = {family.name for family in parse(answer.text)}
    assert {"goodmany_redis_up", "goodmany_jobs", "process_resident_memory_bytes"} <= names


def test_without_redis_the_scrape_tells_what_the_process_knows(tmp_path: Path):
    redis = EmbeddedRedis(tmp_path / "redis")
    with served(Settings(redis_url=redis.url, data_dir=tmp_path)) as api:
        api.get("/livez")
        assert value(scrape(api), "redis_up") == 1
        redis.stop()
        samples = scrape(api)
    assert value(samples, "redis_up") == 0
    assert value(samples, "jobs", state="queued") is None
    labels = {"method": "GET", "route": "/livez", "status": "200"}
    assert value(samples, "http_requests_total", **labels) == 1


def test_a_token_keeps_strangers_out(settings: Settings):
    guarded = settings.model_copy(update={"metrics_token": "s3cret"})
    with served(guarded) as api:
        for wrong in ({}, {"Authorization": "Bearer other"}, {"Authorization": b"Bearer \xe9"}):
            answer = api.get("/metrics", headers=wrong)
            assert answer.status_code == 401
            assert answer.json()["type"] == "urn:goodmany:problem:unauthorized"
        right = api.get("/metrics", headers={"Authorization": "Bearer s3cret"})
        assert "goodmany_redis_up 1.0" in right.text
