"""`goodmany viewer` answers `POST /v1/views` over real HTTP, Redis and storage."""

import base64
import io
import os
import signal
from collections.abc import Iterator

import httpx2
import pytest
from PIL import Image

from app.files.storage import Storage
from app.jobs.queues.enqueue import VIEWS_QUEUE
from app.jobs.store import JobStore
from app.settings import Settings
from models.views.view import INVARIANCES, to_image
from tests.conftest import encode, wait_until
from tests.models.conftest import part_image, texture_image
from tests.workers.viewer.viewer_process import ViewerProcess

pytestmark = pytest.mark.slow

PART, TEXTURE = (encode(to_image(image)) for image in (part_image(angle_deg=33), texture_image()))
ANSWERED_WITHIN_S = 90
# torch is imported first.
LOADED_WITHIN_S = 300.0


@pytest.fixture
def viewer(settings: Settings) -> Iterator[ViewerProcess]:
    running = ViewerProcess(settings)
    yield running
    if running.process.poll() is None:
        assert running.stop() == 0


@pytest.fixture
def ready_viewer(viewer: ViewerProcess, store: JobStore) -> ViewerProcess:
    wait_until(lambda: num_registered(store) > 0, LOADED_WITHIN_S)
    return viewer


def num_registered(store: JobStore) -> int:
    return int(store.connection.scard(f"rq:workers:{VIEWS_QUEUE}"))


def ask(api: httpx2.Client, *images: bytes, **fields: object) -> httpx2.Response:
    files = [("images", (f"{n}.png", image)) for n, image in enumerate(images)]
    return api.post("/v1/views", data=fields, files=files, timeout=ANSWERED_WITHIN_S)


def picture(url: str) -> Image.Image:
    head, _, data = url.partition(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(data, validate=True)))


def test_it_shows_every_family_leaves_nothing_behind_and_stops_at_once(
    api: httpx2.Client, settings: Settings, store: JobStore, ready_viewer: ViewerProcess
):
    answer = ask(api, PART, object_name="nut")
    assert answer.status_code == 200
    told = answer.json()
    (image,) = told["inputs"]
    assert (image["width"], image["height"], image["warnings"]) == (128, 128, [])
    assert [family["name"] for family in told["families"]] == list(INVARIANCES)
    for family in told["families"]:
        assert 0 <= family["belief"] <= 1
        assert family["title"]
        assert family["reason"].endswith(".")
        assert 1 <= len(family["images"]) <= 3
        for url in family["images"]:
            assert picture(url).size == (128, 128)
    storage = Storage(settings.storage_address)
    assert set(storage.job_ids()) <= {".goodmany"}
    assert api.get("/v1/jobs").json()["items"] == []
    wait_until(lambda: not store.connection.keys("rq:results:*"))
    assert ready_viewer.num_threads("libtorch") < 8
    # No view is larger than the images of a job.
    families = ask(api, TEXTURE, TEXTURE, image_size=64).json()["families"]
    assert {picture(url).size for family in families for url in family["images"]} == {(64, 64)}
    # Stopped, it is gone at once, and the next question is told so.
    assert ready_viewer.stop() == 0
    wait_until(lambda: num_registered(store) == 0)
    assert ask(api, TEXTURE).status_code == 503


def test_a_viewer_that_is_killed_is_replaced(
    api: httpx2.Client, store: JobStore, ready_viewer: ViewerProcess
):
    (child,) = (pid for pid in ready_viewer.children())
    os.kill(child, signal.SIGKILL)
    wait_until(lambda: ready_viewer.children() - {child} != set())
    # The dead one is still listed; the question waits for its successor.
    assert ask(api, TEXTURE).status_code == 200
    assert ready_viewer.stop() == 0
