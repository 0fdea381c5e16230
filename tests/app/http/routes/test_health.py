"""Liveness and readiness, with every single thing missing."""

import threading
from pathlib import Path

import httpx2

from app.jobs.store import JobStore
from app.observability.live_workers import LiveWorkers
from app.settings import Settings
from tests.conftest import wait_until
from workers.serve.api_server import ApiServer
from workers.serve.embedded_redis import EmbeddedRedis


def faults(answer: httpx2.Response) -> set[str]:
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:goodmany:problem:not-ready"
    return {error["field"] for error in answer.json()["errors"]}


def test_live_without_any_worker(api: httpx2.Client):
    assert api.get("/livez").json() == {"status": "ok"}


def test_not_ready_without_a_worker_and_ready_with_one(api: httpx2.Client, store: JobStore):
    assert faults(api.get("/readyz")) == {"worker"}
    workers = LiveWorkers(store.connection)
    workers.beat("some worker")
    assert api.get("/readyz").json() == {"status": "ok", "warnings": []}
    workers.leave("some worker")
    assert faults(api.get("/readyz")) == {"worker"}


def test_the_reason_why_no_worker_started_is_told(api: httpx2.Client, store: JobStore):
    workers = LiveWorkers(store.connection)
    workers.note_start_failure("There is no model in /nowhere.")
    assert "There is no model in /nowhere." in api.get("/readyz").json()["detail"]
    workers.beat("some worker")
    assert workers.start_failure() is None


def test_not_ready_with_a_storage_that_cannot_be_written(
    api: httpx2.Client, store: JobStore, settings: Settings
):
    LiveWorkers(store.connection).beat("some worker")
    place = Path(settings.storage_address)
    place.write_text("a file where the folder should be")
    assert faults(api.get("/readyz")) == {"storage"}


def test_redis_gone_is_told_as_503(tmp_path: Path):
    redis = EmbeddedRedis(tmp_path / "redis")
    settings = Settings(redis_url=redis.url, data_dir=tmp_path)
    server = ApiServer(settings, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [server.socket]})
    thread.start()
    with httpx2.Client(base_url=server.address, timeout=90) as client:
        wait_until(lambda: server.started)
        assert client.get("/v1/jobs").status_code == 200
        redis.stop()
        assert faults(client.get("/readyz")) == {"redis", "worker"}
        answer = client.get("/v1/jobs")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert client.get("/livez").status_code == 200
    server.should_exit = True
    thread.join()
