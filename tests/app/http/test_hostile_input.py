"""Hostile input against the real API process: each is one 4xx problem, and nothing is left of it.

`VmHWM`, the largest memory that the process ever had, is set back before each input and read
after it.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from app.base.redis_connection import connect
from app.jobs.store import JobStore
from app.problems import TYPE_PREFIX, Problem
from app.settings import Settings
from tests.app.http.hostile_images import PNG, bad_images, odd_images
from tests.app.http.hostile_requests import (
    ASKED,
    MULTIPART,
    BadRequest,
    bad_requests,
    form,
    image,
    join,
    odd_requests,
    raw_faults,
    text,
)
from tests.conftest import wait_until
from workers.serve.embedded_redis import EmbeddedRedis

MAX_GROWTH_BYTES = 64 * 2**20
RAW_ANSWER_WITHIN_S = 10


@dataclass
class ApiProcess:
    """The API as `goodmany api` runs it, with all limits at their defaults."""

    process: subprocess.Popen
    client: httpx2.Client
    settings: Settings
    store: JobStore

    def peak_bytes(self) -> int:
        """The largest memory since the last `forget_peak`."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    def forget_peak(self) -> None:
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def num_open_files(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def stored(self) -> list[Path]:
        """All files but those that are there without any request."""
        files = [path for path in self.settings.data_dir.rglob("*") if path.is_file()]
        return [path for path in files if path.name not in ("lock", "instance")]

    def check_untouched(self) -> None:
        """It still answers, and has neither a job nor a file."""
        assert self.process.poll() is None
        assert self.client.get("/livez").status_code == 200
        assert self.client.get("/v1/jobs").json()["items"] == []
        assert self.store.queues[-1].count == 0
        assert self.stored() == []


@contextlib.contextmanager
def started(settings: Settings) -> Iterator[ApiProcess]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    values = settings.model_dump(mode="json")
    variables = {f"GOODMANY_{name.upper()}": str(value) for name, value in values.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "workers.cli", "api", "--port", str(port)],
        env={**os.environ, **variables},
        stderr=subprocess.DEVNULL,
    )
    connection = connect(settings.redis_url)
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=90) as client:
            wait_until(lambda: _answers(client))
            yield ApiProcess(process, client, settings, JobStore(connection, settings))
    finally:
        connection.close()
        process.terminate()
        process.wait(20)


def _answers(client: httpx2.Client) -> bool:
    with contextlib.suppress(httpx2.TransportError):
        return client.get("/livez").status_code == 200
    return False


@pytest.fixture(scope="module")
def process(
    redis_server: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiProcess]:
    settings = Settings(redis_url=redis_server.url, data_dir=tmp_path_factory.mktemp("data"))
    with started(settings) as running:
        yield running


@pytest.fixture
def service(process: ApiProcess) -> Iterator[ApiProcess]:
    """The process, warm and without jobs."""
    process.store.connection.flushall()
    for content in (PNG, b"nothing"):
        send(process, form("", frozenset(), text("object_name", "nut"), image(content=content)))
    forget_jobs(process)
    process.forget_peak()
    return process


def forget_jobs(service: ApiProcess) -> None:
    service.store.connection.flushall()
    for folder in Path(service.settings.storage_address).iterdir():
        shutil.rmtree(folder)


def send(service: ApiProcess, request: BadRequest) -> httpx2.Response:
    return service.client.request(
        request.method, request.path, content=request.body, headers=request.headers
    )


def slug(answer: httpx2.Response) -> str:
    """The slug of a known problem of the client's in its right form; else the whole answer."""
    if answer.headers.get("content-type") == "application/problem+json":
        problem = answer.json()
        known = {kind.slug: kind.status for kind in problem_kinds(Problem)}
        name = problem["type"].removeprefix(TYPE_PREFIX)
        if known.get(name) == problem["status"] == answer.status_code < 500:
            return name
    return f"{answer.status_code}: {answer.text[:300]}"


def problem_kinds(kind: type[Problem]) -> Iterator[type[Problem]]:
    yield kind
    for below in kind.__subclasses__():
        yield from problem_kinds(below)


def test_every_bad_image_is_one_clear_answer(service: ApiProcess):
    before, wrong = service.peak_bytes(), []
    for name, content, expected in bad_images():
        nut = text("object_name", "nut")
        answer = send(service, form(name, expected, nut, image(), image(content=content)))
        growth = service.peak_bytes() - before
        told = slug(answer)
        if told not in expected or growth > MAX_GROWTH_BYTES:
            wrong.append((name, told, growth))
        elif [e["field"] for e in answer.json()["errors"]] != ["images[1]"]:
            wrong.append((name, answer.text, growth))
    assert wrong == []
    service.check_untouched()


def test_every_odd_image_is_taken(service: ApiProcess):
    before, wrong = service.peak_bytes(), []
    for name, content in odd_images().items():
        nut = text("object_name", "nut")
        answer = send(service, form(name, frozenset(), nut, image(content=content)))
        growth = service.peak_bytes() - before
        if answer.status_code != 202 or growth > MAX_GROWTH_BYTES:
            wrong.append((name, answer.text, growth))
    assert wrong == []
    assert len(service.stored()) == len(odd_images())
    forget_jobs(service)
    service.check_untouched()


def test_every_bad_request_is_one_clear_answer(service: ApiProcess):
    before, num_open_files, wrong = service.peak_bytes(), service.num_open_files(), []
    for request in bad_requests():
        told = slug(send(service, request))
        growth = service.peak_bytes() - before
        if told not in request.slugs or growth > MAX_GROWTH_BYTES:
            wrong.append((request.name, told, growth))
    assert wrong == []
    service.check_untouched()
    assert service.num_open_files() <= num_open_files + 2


def test_every_odd_request_is_taken_and_names_no_path(service: ApiProcess):
    for name, body in odd_requests().items():
        answer = service.client.post("/v1/jobs", content=body, headers={"content-type": MULTIPART})
        assert answer.status_code == 202, f"{name}: {answer.text}"
        files = Path(service.settings.storage_address) / answer.json()["id"]
        names = sorted(str(path.relative_to(files)) for path in files.rglob("*"))
        assert names == ["inputs", "inputs/000"]
    assert len(service.stored()) == len(odd_requests())
    forget_jobs(service)
    service.check_untouched()


def test_every_fault_of_http_itself_is_answered_or_cut_off(service: ApiProcess):
    before, num_open_files, wrong = service.peak_bytes(), service.num_open_files(), []
    for name, content in raw_faults().items():
        received = exchange(service, content)
        statuses = re.findall(rb"HTTP/1\.1 (\d)", received)
        growth = service.peak_bytes() - before
        if set(statuses) - {b"4"} or growth > MAX_GROWTH_BYTES:
            wrong.append((name, received, growth))
    assert wrong == []
    service.check_untouched()
    wait_until(lambda: service.num_open_files() <= num_open_files + 2)


def exchange(service: ApiProcess, content: bytes) -> bytes:
    """Everything that comes back until the server hangs up; nothing when it does at once."""
    received = b""
    address = (service.client.base_url.host, service.client.base_url.port)
    with (
        socket.create_connection(address, RAW_ANSWER_WITHIN_S) as connection,
        contextlib.suppress(ConnectionError),
    ):
        connection.sendall(content)
        # First the answer, if one comes; then the end of what we send ends the connection.
        connection.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            received = connection.recv(65536)
        connection.settimeout(RAW_ANSWER_WITHIN_S)
        with contextlib.suppress(OSError):  # It may have hung up already.
            connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65536):
            received += part
    return received


def test_uploads_that_break_off_leave_nothing(service: ApiProcess):
    num_open_files = service.num_open_files()
    body = join([*ASKED, image(content=bytes(3 * 2**20))])
    head = f"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: {MULTIPART}\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    address = (service.client.base_url.host, service.client.base_url.port)
    for sent in (0, 10, 1000, len(body) // 2, len(body) - 1):
        with socket.create_connection(address) as connection:
            connection.sendall(head.encode() + body[:sent])
    wait_until(lambda: service.num_open_files() <= num_open_files + 2)
    service.check_untouched()
