"""The whole service as one command: stopped, killed, started again, and losing a child."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from app.settings import Settings
from tests.conftest import PATIENCE_S, encode, texture, wait_until
from tests.processes import alive, command_line, descendants
from tests.workers.courier.receiver import Receiver
from tests.workers.serve.run_serve import IDLE
from workers.serve.service import EmbeddedService

pytestmark = pytest.mark.slow

Start = Callable[..., "Served"]


class Served:
    """`goodmany serve` as a process, and everything that it started.

    Args:
        folder: for its data.
        function: what its jobs do.
        log: for what it says.
        parts: "courier" or "viewer", where they are needed.
    """

    def __init__(self, folder: Path, function: str, *parts: str, log: Path | None = None):
        self.folder = folder
        self.log = log or folder.parent / f"{len(list(folder.parent.glob('*.log')))}.log"
        command = [sys.executable, "-m", "tests.workers.serve.run_serve", str(folder), function]
        with self.log.open("wb") as file:
            self.process = subprocess.Popen([*command, *parts], stderr=file, stdout=file)
        wait_until(lambda: "jobs are worked on" in self.said())
        address = re.search(r"http://\S+:\d+", self.said())
        assert address is not None
        self.http = httpx2.Client(base_url=address[0], timeout=PATIENCE_S)
        self.children = descendants(self.process.pid)

    def said(self) -> str:
        return self.log.read_text()

    def submit(self, key: str | None = None, **fields: str) -> str:
        files = [("images", ("a.png", encode(texture())))]
        headers = {"Idempotency-Key": key} if key else {}
        asked = {"object_name": "nut", **fields}
        answer = self.http.post("/v1/jobs", data=asked, files=files, headers=headers)
        return str(answer.json()["links"]["self"])

    def wait_for(self, link: str, state: str) -> None:
        wait_until(lambda: self.http.get(link).json()["state"] == state)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Served] = []

    def serve(function: str, *parts: str) -> Served:
        started.append(Served(tmp_path / "data", function, *parts))
        return started[-1]

    yield serve
    for served in started:
        served.http.close()
        served.process.kill()
        served.process.wait()
        wait_until(lambda served=served: not alive(served.children))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_however_it_ends_the_next_start_does_every_job_that_was_accepted(
    start: Start, tmp_path: Path, receiver: Receiver, how: signal.Signals
):
    served = start("hang_second", "courier")
    finished = served.submit()
    served.wait_for(finished, "succeeded")
    running = served.submit(callback_url=receiver.url("/200"))
    served.wait_for(running, "running")
    waiting = served.submit("once")
    assert len(served.children) >= 3
    with pytest.raises(RuntimeError, match="in use by another"):
        EmbeddedService(Settings(data_dir=tmp_path / "data"))
    served.process.send_signal(how)
    assert served.process.wait(PATIENCE_S) == (-how if how is signal.SIGKILL else 0)
    wait_until(lambda: not alive(served.children))

    again = start("hang_second", "courier")
    assert again.submit("once") == waiting
    assert [job["links"]["self"] for job in again.http.get("/v1/jobs").json()["items"]] == [
        waiting,
        running,
        finished,
    ]
    for link in (running, waiting, finished):
        again.wait_for(link, "succeeded")
    wait_until(lambda: len(receiver.received) == 1)
    assert running.encode() in receiver.received[0].body
    words = {"object_name": "Hazelnuts"}
    wait_until(lambda: again.http.get("/v1/prompts", params=words).is_success)


def child_of(served: Served, name: str) -> int:
    """The process itself, not one that it has started in turn."""
    return min(pid for pid in served.children if name in command_line(pid))


def test_a_worker_that_is_killed_is_replaced_and_its_job_done(start: Start):
    served = start("hang_once")
    link = served.submit()
    served.wait_for(link, "running")
    os.kill(child_of(served, "run_worker"), signal.SIGKILL)
    served.wait_for(link, "succeeded")
    assert served.process.poll() is None
    assert "the worker ended with exit code -9; a new one in" in served.said()


def test_a_courier_that_is_killed_is_replaced(start: Start, receiver: Receiver):
    served = start("succeed", "courier")
    os.kill(child_of(served, "cli courier"), signal.SIGKILL)
    served.submit(callback_url=receiver.url("/200"))
    wait_until(lambda: len(receiver.received) == 1)
    assert served.process.poll() is None


def test_a_viewer_that_keeps_dying_does_not_end_the_service(start: Start):
    served = start("succeed", "viewer")

    def viewers() -> list[int]:
        return [p for p in descendants(served.process.pid) if "cli viewer" in command_line(p)]

    def kill_it() -> bool:
        for viewer in viewers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(viewer, signal.SIGKILL)
        return "jobs go on without it" in served.said()

    wait_until(kill_it)
    served.wait_for(served.submit(), "succeeded")
    assert served.process.poll() is None


def test_what_was_started_again_stops_with_the_rest(start: Start):
    served = start("hang")
    os.kill(child_of(served, "run_worker"), signal.SIGKILL)
    served.wait_for(served.submit(), "running")
    everything = descendants(served.process.pid)
    served.process.terminate()
    assert served.process.wait(PATIENCE_S) == 0
    wait_until(lambda: not alive(everything | served.children))


def test_it_does_not_go_on_without_redis(start: Start):
    served = start("succeed")
    os.kill(child_of(served, "redis"), signal.SIGKILL)
    assert served.process.wait(PATIENCE_S) == 1
    assert "Redis ended with exit code -9" in served.said()
    wait_until(lambda: not alive(served.children))


def test_a_worker_without_its_models_ends_the_service_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TEST_LOADER", "tests.workers.generation.job_functions:load_in_vain")
    command = [sys.executable, "-m", "tests.workers.generation.run_worker"]
    settings = Settings(data_dir=tmp_path / "data", vqgan="nowhere")
    with EmbeddedService(settings, command, IDLE, IDLE) as service:
        wait_until(lambda: service.fault() is not None)
        assert "There is no model in nowhere" in str(service.fault())
