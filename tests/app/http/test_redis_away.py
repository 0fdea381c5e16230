"""Without Redis every route that needs it says so, soon and in one way; streams wait for it."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from app.base.redis_connection import connect
from app.jobs.model import JobRequest, new_job_id
from app.jobs.store import JobStore
from app.settings import Settings
from tests.conftest import encode, texture, wait_until
from workers.serve.api_server import ApiServer
from workers.serve.embedded_redis import EmbeddedRedis

JOB = f"/v1/jobs/{new_job_id()}"
ROUTES = [
    ("GET", "/v1/jobs"),
    ("POST", "/v1/jobs"),
    ("GET", JOB),
    ("DELETE", JOB),
    ("POST", f"{JOB}/cancel"),
    ("GET", f"{JOB}/events"),
    ("GET", f"{JOB}/archive"),
    ("GET", f"{JOB}/preview"),
    ("GET", f"{JOB}/variance"),
    ("GET", f"{JOB}/images/0"),
    ("GET", "/readyz"),
]


class OwnService:
    """An API with a Redis that may be stopped without harm to other tests."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.redis = EmbeddedRedis(folder)
        self.settings = Settings(redis_url=self.redis.url, data_dir=folder / "data")
        self.server = ApiServer(self.settings, "127.0.0.1", 0)
        self.thread = threading.Thread(
            target=self.server.run, kwargs={"sockets": [self.server.socket]}
        )
        self.thread.start()
        self.http = httpx2.Client(base_url=self.server.address, timeout=90)
        wait_until(lambda: self.server.started)

    def start_redis(self) -> None:
        self.redis = EmbeddedRedis(self.folder)

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join()
        self.http.close()
        self.redis.stop()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnService]:
    service = OwnService(tmp_path_factory.mktemp("redis"))
    yield service
    service.stop()


@pytest.fixture
def without_redis(service: OwnService) -> Iterator[None]:
    service.redis.process.kill()
    service.redis.process.wait()
    yield
    service.start_redis()


@pytest.mark.usefixtures("without_redis")
def test_every_route_says_that_redis_is_away(service: OwnService):
    for method, path in ROUTES:
        form = {"data": {"object_name": "nut"}, "files": [("images", ("a", encode(texture())))]}
        answer = service.http.request(method, path, **(form if path == "/v1/jobs" else {}))
        problem = answer.json()
        assert (answer.status_code, path) == (503, path)
        assert problem["type"] == "urn:goodmany:problem:not-ready"
        assert "Redis is away." in problem["detail"]
        assert answer.headers["retry-after"] == "5"


@pytest.mark.usefixtures("without_redis")
def test_what_needs_no_redis_is_served(service: OwnService):
    assert service.http.get("/livez").is_success
    assert service.http.get("/openapi.json").is_success


def test_a_redis_that_does_not_answer_is_away_too(service: OwnService):
    service.redis.process.send_signal(signal.SIGSTOP)
    answer = service.http.get(JOB)
    service.redis.process.send_signal(signal.SIGCONT)
    assert answer.status_code == 503
    wait_until(lambda: service.http.get(JOB).status_code == 404)


def test_an_event_stream_goes_on_when_redis_is_back(service: OwnService):
    with connect(service.settings.redis_url) as connection:
        store = JobStore(connection, service.settings)
        job_id = store.create(new_job_id(), JobRequest(object_name="nut"), 1).id
        with service.http.stream("GET", f"/v1/jobs/{job_id}/events") as answer:
            lines = answer.iter_lines()
            assert any('"queued"' in line for line in lines)
            service.redis.process.kill()
            service.redis.process.wait()
            assert next(line for line in lines if line.startswith(":")) == ": Redis is away"
            service.start_redis()
            store.start(job_id, "a")
            store.succeed(job_id, "a", {})
            data = [line for line in lines if line.startswith("data:")]
        assert ['"queued"' in line for line in data] == [False, False]
        assert '"running"' in data[0]
        assert '"succeeded"' in data[1]


def test_a_long_poll_ends_with_the_problem(service: OwnService):
    with connect(service.settings.redis_url) as connection:
        store = JobStore(connection, service.settings)
        job_id = store.create(new_job_id(), JobRequest(object_name="nut"), 1).id
    answers: list[httpx2.Response] = []

    def poll() -> None:
        headers = {"Prefer": "wait=20"}
        answers.append(httpx2.get(f"{service.server.address}/v1/jobs/{job_id}", headers=headers))

    thread = threading.Thread(target=poll)
    thread.start()
    wait_until(lambda: service.server.app.state.services.news.num_waiting == 1)
    service.redis.process.kill()
    service.redis.process.wait()
    thread.join()
    service.start_redis()
    assert answers[0].status_code == 503
