"""The dry run of views as HTTP, without a viewer (tests/workers/viewer has one)."""

import threading
from collections.abc import Iterator

import httpx2
import pytest
from rq import Queue
from rq.serializers import JSONSerializer

from app.files.storage import Storage
from app.http.routes import views
from app.jobs.queues.enqueue import SHOW_VIEWS, VIEWS_QUEUE
from app.jobs.store import JobStore
from app.settings import Settings
from tests.app.http.routes.test_jobs import PNG, post, slug
from tests.conftest import encode, texture, wait_until
from workers.runtime.light_worker import LightWorker
from workers.runtime.task_names import VIEWS_TASKS


@pytest.fixture
def queue(store: JobStore) -> Queue:
    return Queue(VIEWS_QUEUE, connection=store.connection, serializer=JSONSerializer)


@pytest.fixture
def idle_viewer(store: JobStore) -> Iterator[None]:
    """It has said that it is there, and takes no question."""
    worker = LightWorker(VIEWS_QUEUE, VIEWS_TASKS, store.connection, 60)
    worker.register_birth()
    yield
    worker.register_death()


def ask(api: httpx2.Client, *images: bytes, **fields: object) -> httpx2.Response:
    files = [("images", (f"{n}.png", image)) for n, image in enumerate(images)]
    return api.post("/v1/views", data=fields, files=files)


def test_without_a_viewer_the_answer_comes_at_once(
    api: httpx2.Client, queue: Queue, settings: Settings
):
    answer = ask(api, PNG)
    assert (answer.status_code, slug(answer)) == (503, "not-ready")
    assert answer.headers["retry-after"] == "5"
    assert queue.count == 0
    assert Storage(settings.storage_address).job_ids() == []


@pytest.mark.usefixtures("idle_viewer")
def test_a_viewer_that_does_not_answer_is_a_problem_and_blocks_nobody(
    api: httpx2.Client, queue: Queue, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(views, "ANSWER_WITHIN_S", 3)
    answers: list[httpx2.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(api, PNG))) for _ in range(6)]
    for thread in threads:
        thread.start()
    wait_until(lambda: queue.count > 0)
    storage = Storage(settings.storage_address)
    assert storage.job_ids()
    assert api.get("/v1/jobs").json()["items"] == []
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {503}
    assert "in time" in answers[0].json()["detail"]
    assert queue.count == 0
    assert set(storage.job_ids()) <= {".goodmany"}


@pytest.mark.usefixtures("idle_viewer")
def test_whoever_comes_when_many_wait_is_sent_away_at_once(
    api: httpx2.Client, queue: Queue, settings: Settings
):
    for _ in range(views.MAX_WAITING):
        queue.enqueue_call(SHOW_VIEWS, args=("0" * 32, [8], 256))
    answer = ask(api, PNG)
    assert (answer.status_code, slug(answer)) == (503, "not-ready")
    assert queue.count == views.MAX_WAITING
    assert Storage(settings.storage_address).job_ids() == []


@pytest.mark.usefixtures("idle_viewer")
@pytest.mark.parametrize(
    ("images", "fields"),
    [
        ([], {}),
        ([b""], {}),
        ([b"no image"], {}),
        ([PNG[:-30]], {}),
        ([encode(texture()), encode(texture().resize((200, 40)))], {}),
        ([PNG], {"bit_depth": "7"}),
        ([PNG], {"image_size": "9000"}),
        ([PNG], {"object_name": "1234"}),
        ([PNG], {"nonsense": "1"}),
    ],
)
def test_what_a_job_is_refused_for_it_is_refused_for(
    api: httpx2.Client,
    queue: Queue,
    settings: Settings,
    images: list[bytes],
    fields: dict[str, str],
):
    answer = ask(api, *images, **fields)
    as_job = post(api, *images, **fields)
    assert (answer.status_code, answer.json()) == (as_job.status_code, as_job.json())
    assert answer.status_code == 422
    assert queue.count == 0
    assert set(Storage(settings.storage_address).job_ids()) <= {".goodmany"}


def test_one_value_may_be_sent_once(api: httpx2.Client):
    answer = api.post(
        "/v1/views",
        data={"bit_depth": ["8", "12"]},
        files=[("images", ("a.png", PNG))],
    )
    assert (answer.status_code, slug(answer)) == (422, "invalid-request")
