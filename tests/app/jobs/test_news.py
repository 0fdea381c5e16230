"""Those who wait for a job wait on one subscription, hear at once, and free their place at once."""

import contextlib
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

import app.jobs.news
from app.jobs.model import JobRequest, new_job_id
from app.jobs.news import NEWS_CHANNEL, JobNews
from app.jobs.store import JobStore
from app.settings import Settings
from tests.conftest import PATIENCE_S, wait_until
from workers.serve.api_server import ApiServer

NUM_CLIENTS = 8


@pytest.fixture
def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    """An API whose clients look for themselves only when they are told to."""
    monkeypatch.setattr(app.jobs.news, "LOOK_AGAIN_S", 3600.0)
    server = ApiServer(settings, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [server.socket]})
    thread.start()
    wait_until(lambda: server.started)
    yield server
    server.should_exit = True
    thread.join()


@pytest.fixture
def news(server: ApiServer, store: JobStore) -> JobNews:
    wait_until(lambda: num_subscriptions(store) == 1)
    found: JobNews = server.app.state.services.news
    return found


@pytest.fixture
def job_id(store: JobStore) -> str:
    job_id = store.create(new_job_id(), JobRequest(object_name="nut"), 1).id
    store.start(job_id, "a")
    return job_id


def num_subscriptions(store: JobStore) -> int:
    return dict(store.connection.pubsub_numsub(NEWS_CHANNEL)).get(NEWS_CHANNEL.encode(), 0)


class Waiters:
    """Clients that wait for a job, half of them in a long poll, half at the events."""

    def __init__(self, address: str, job_id: str):
        self.link = f"{address}/v1/jobs/{job_id}"
        self.answers: list[str] = []
        self.threads = [
            threading.Thread(target=(self._poll if number % 2 else self._stream), daemon=True)
            for number in range(NUM_CLIENTS)
        ]
        for thread in self.threads:
            thread.start()

    def _poll(self) -> None:
        headers = {"Prefer": "wait=60"}
        answer = httpx2.get(self.link, headers=headers, timeout=PATIENCE_S)
        self.answers.append(answer.json()["state"])

    def _stream(self) -> None:
        with httpx2.stream("GET", f"{self.link}/events", timeout=PATIENCE_S) as answer:
            lines = [line for line in answer.iter_lines() if line.startswith("data:")]
        self.answers.append("succeeded" if '"succeeded"' in lines[-1] else "running")

    def join(self) -> list[str]:
        for thread in self.threads:
            thread.join(PATIENCE_S)
        return self.answers


def test_all_wait_on_one_subscription_and_ask_redis_nothing(
    server: ApiServer, news: JobNews, store: JobStore, job_id: str
):
    waiters = Waiters(server.address, job_id)
    wait_until(lambda: news.num_waiting == NUM_CLIENTS)
    reads = ("cmdstat_xrange", "cmdstat_hmget", "cmdstat_exists")

    def num_reads() -> int:
        found = store.connection.info("commandstats")
        return sum(found.get(name, {"calls": 0})["calls"] for name in reads)

    def is_quiet() -> bool:
        # Nothing happens, and that takes its time.
        before = num_reads()
        time.sleep(2)
        return num_reads() == before

    wait_until(is_quiet)
    assert num_subscriptions(store) == 1
    assert len(store.connection.client_list(_type="pubsub")) == 1
    assert store.succeed(job_id, "a", {})
    assert waiters.join() == ["succeeded"] * NUM_CLIENTS
    wait_until(lambda: news.num_waiting == 0)


def test_progress_is_for_the_streams_alone(
    server: ApiServer, news: JobNews, store: JobStore, job_id: str
):
    waiters = Waiters(server.address, job_id)
    wait_until(lambda: news.num_waiting == NUM_CLIENTS)
    woken: list[bool] = []
    wake = app.jobs.news.Waiting.wake

    def noted_wake(self: app.jobs.news.Waiting) -> None:
        woken.append(self.for_end)
        wake(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app.jobs.news.Waiting, "wake", noted_wake)
        store.progress(job_id, "a", {"percent": "50"})
        wait_until(lambda: len(woken) == NUM_CLIENTS // 2)
        assert not any(woken)
    store.succeed(job_id, "a", {})
    waiters.join()


def test_what_was_said_while_nobody_listened_is_heard(
    server: ApiServer, news: JobNews, store: JobStore, job_id: str
):
    waiters = Waiters(server.address, job_id)
    wait_until(lambda: news.num_waiting == NUM_CLIENTS)
    with store.connection.pipeline() as pipeline:
        # Cut off, and told of nothing before it is back.
        pipeline.client_kill_filter(_type="pubsub")
        pipeline.execute()
    store.succeed(job_id, "a", {})
    assert waiters.join() == ["succeeded"] * NUM_CLIENTS
    wait_until(lambda: num_subscriptions(store) == 1)


def test_a_job_that_is_forgotten_ends_the_wait(
    server: ApiServer, news: JobNews, store: JobStore, job_id: str
):
    answers: list[int] = []

    def poll() -> None:
        link = f"{server.address}/v1/jobs/{job_id}"
        answer = httpx2.get(link, headers={"Prefer": "wait=60"}, timeout=PATIENCE_S)
        answers.append(answer.status_code)

    thread = threading.Thread(target=poll)
    thread.start()
    wait_until(lambda: news.num_waiting == 1)
    store.forget(job_id)
    thread.join(PATIENCE_S)
    assert answers == [404]


@pytest.mark.parametrize("headers", [{"Prefer": "wait=60"}, None], ids=["poll", "stream"])
def test_a_client_that_leaves_frees_its_place(
    server: ApiServer, news: JobNews, job_id: str, headers: dict[str, str] | None
):
    path = f"/v1/jobs/{job_id}" if headers else f"/v1/jobs/{job_id}/events"
    lines = [f"GET {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        wait_until(lambda: news.num_waiting == 1)
    # It would wait for an hour.
    wait_until(lambda: news.num_waiting == 0)


def test_a_place_is_free_though_the_stream_is_not_collected(
    server: ApiServer, news: JobNews, store: JobStore, job_id: str
):
    """On a busy machine a client may leave while an event waits to be sent."""
    for percent in range(30):
        store.progress(job_id, "a", {"percent": str(percent)})
    request = f"GET /v1/jobs/{job_id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
    over = threading.Event()
    busy = [threading.Thread(target=_compute, args=(over,)) for _ in range(3)]
    gc.collect()
    gc.disable()
    try:
        for thread in busy:
            thread.start()
        for number in range(12):
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.sendall(request.encode())
                wait_until(lambda: news.num_waiting == 1)
                time.sleep(0.003 * number)
            wait_until(lambda: news.num_waiting == 0, 30.0)
    finally:
        over.set()
        gc.enable()


def _compute(over: threading.Event) -> None:
    while not over.is_set():
        pass


def test_a_server_that_ends_lets_nobody_wait(
    server: ApiServer, news: JobNews, job_id: str, caplog: pytest.LogCaptureFixture
):
    waiters = Waiters(server.address, job_id)
    wait_until(lambda: news.num_waiting == NUM_CLIENTS)
    server.should_exit = True
    assert waiters.join() == ["running"] * NUM_CLIENTS
    # What it says of answers that it has to cut off.
    assert "exceeded" not in caplog.text


def test_a_process_that_is_told_to_stop_ends_its_streams(
    settings: Settings, job_id: str, tmp_path: Path
):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    values = settings.model_dump(mode="json")
    variables = {f"GOODMANY_{name.upper()}": str(value) for name, value in values.items()}
    with (tmp_path / "api.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.cli", "api", "--port", str(port)],
            env={**os.environ, **variables},
            stdout=log,
            stderr=log,
        )
    link = f"http://127.0.0.1:{port}/v1/jobs/{job_id}/events"

    def answers() -> bool:
        with contextlib.suppress(httpx2.TransportError):
            return httpx2.get(f"http://127.0.0.1:{port}/livez").is_success
        return False

    try:
        wait_until(answers)
        with httpx2.stream("GET", link, timeout=PATIENCE_S) as answer:
            lines = answer.iter_lines()
            assert any('"running"' in line for line in lines)
            process.send_signal(signal.SIGTERM)
            # It ends as a stream should, and not in the middle.
            assert not any("data:" in line for line in lines)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
    assert "exceeded" not in (tmp_path / "api.log").read_text()
