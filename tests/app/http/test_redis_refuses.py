"""A Redis that answers and does not work: a 503 that says why, no orphan, and readable jobs."""

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import redis

from app.base.redis_connection import REFUSALS, connect
from app.files.storage import Storage
from app.jobs.model import JOB_ID
from tests.app.base.test_redis_connection import refuse, relent
from tests.app.http.test_redis_away import OwnService
from tests.conftest import encode, texture, wait_until

FORM = {"data": {"object_name": "nut"}, "files": [("images", ("a.png", encode(texture())))]}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnService]:
    service = OwnService(tmp_path_factory.mktemp("redis"))
    yield service
    service.stop()


@pytest.fixture
def connection(service: OwnService) -> Iterator[redis.Redis]:
    with connect(service.settings.redis_url) as connection:
        yield connection
        relent(connection)


def job_folders(service: OwnService) -> list[str]:
    names = Storage(service.settings.storage_address).job_ids()
    return [name for name in names if JOB_ID.fullmatch(name)]


def check_refused(answer: httpx2.Response, sentence: str) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (503, "urn:goodmany:problem:not-ready")
    assert sentence in problem["detail"]
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize("code", ["READONLY", "OOM", "NOREPLICAS"])
def test_what_cannot_be_written_is_a_503_and_what_can_be_read_is_read(
    service: OwnService, connection: redis.Redis, code: str
):
    job = service.http.post("/v1/jobs", **FORM).raise_for_status().json()
    here = job["links"]["self"]
    folders = job_folders(service)
    refuse(connection, code)
    check_refused(service.http.post("/v1/jobs", **FORM), REFUSALS[code])
    keyed = {"Idempotency-Key": code}
    check_refused(service.http.post("/v1/jobs", headers=keyed, **FORM), REFUSALS[code])
    check_refused(service.http.post(f"{here}/cancel"), REFUSALS[code])
    check_refused(service.http.get("/readyz"), REFUSALS[code])
    assert job_folders(service) == folders
    assert service.http.get(here).json()["state"] == "queued"
    assert service.http.get("/v1/jobs").json()["items"][0]["id"] == job["id"]
    relent(connection)
    assert service.http.post(f"{here}/cancel").status_code == 202
    refuse(connection, code)
    check_refused(service.http.delete(here), REFUSALS[code])
    relent(connection)
    assert service.http.delete(here).status_code == 204
    assert service.http.post("/v1/jobs", headers=keyed, **FORM).status_code == 202


def test_a_failover_loses_no_job_that_was_accepted(service: OwnService, connection: redis.Redis):
    accepted: list[str] = []
    answers: list[int] = []
    is_over = threading.Event()

    def submit() -> None:
        while not is_over.is_set():
            answer = service.http.post("/v1/jobs", **FORM)
            answers.append(answer.status_code)
            if answer.is_success:
                accepted.append(answer.json()["id"])

    before = set(job_folders(service))
    thread = threading.Thread(target=submit)
    thread.start()
    for _ in range(3):
        seen = len(answers)
        refuse(connection, "READONLY")
        wait_until(lambda seen=seen: 503 in answers[seen:])
        seen = len(answers)
        relent(connection)
        wait_until(lambda seen=seen: 202 in answers[seen:])
    is_over.set()
    thread.join()
    assert set(answers) == {202, 503}
    assert set(job_folders(service)) - before == set(accepted)


@contextlib.contextmanager
def loading(service: OwnService) -> Iterator[None]:
    """The same Redis, in the middle of reading its file."""
    binary = Path(f"/proc/{service.redis.process.pid}/exe").readlink()
    service.redis.stop()
    # As if it had been asked this often; the server itself writes the same, less quickly.
    log = max(service.redis.folder.rglob("*.incr.aof"))
    with log.open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$8\r\ntest:key\r\n$1\r\n1\r\n" * 600_000)
    arguments = {
        "port": "0",
        "unixsocket": str(service.redis.socket),
        "dir": str(service.redis.folder),
        "appendonly": "yes",
        # In microseconds, for each command in the file; between a thousand of them it answers.
        "key-load-delay": "100",
    }
    command = [part for name, value in arguments.items() for part in (f"--{name}", value)]
    process = subprocess.Popen([str(binary), *command], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()
        service.start_redis()


def test_a_redis_that_still_loads_is_told(service: OwnService, connection: redis.Redis):
    folders = job_folders(service)
    with loading(service):

        def is_told() -> bool:
            return REFUSALS["LOADING"] in service.http.get("/readyz").text

        wait_until(is_told)
        check_refused(service.http.post("/v1/jobs", **FORM), REFUSALS["LOADING"])
        check_refused(service.http.get("/v1/jobs"), REFUSALS["LOADING"])
    assert job_folders(service) == folders
    assert service.http.get("/v1/jobs").is_success


def test_a_slow_redis_is_told(service: OwnService):
    folders = job_folders(service)
    os.kill(service.redis.process.pid, 19)
    try:
        check_refused(service.http.post("/v1/jobs", **FORM), "Redis does not answer in time.")
    finally:
        os.kill(service.redis.process.pid, 18)
    assert job_folders(service) == folders
    assert service.http.get("/v1/jobs").is_success
