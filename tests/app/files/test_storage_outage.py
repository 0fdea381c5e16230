"""A storage that is full or gone, real ones: clear answers, no half of a job, nothing left over."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.files.storage import Storage
from app.jobs.store import EXPIRY_KEY, JobStore
from app.observability.live_workers import LiveWorkers
from app.problems import StorageUnavailable
from app.retention.sweep import sweep_expired
from app.settings import Settings
from tests.app.http.routes.test_jobs import finish, post, slug
from tests.conftest import encode, served, texture
from tests.s3_server import Wire

PNG = encode(texture())
NOISE = np.random.default_rng(0).integers(0, 256, (450, 450, 3), dtype=np.uint8)
# Two of them are more than the small disk holds.
LARGE = encode(Image.fromarray(NOISE))


class Outage:
    """A storage with two switches."""

    def __init__(self, place: str, begin: Callable[[], object], end: Callable[[], object]):
        self.place, self.begin, self.end = place, begin, end


@pytest.fixture(params=["folder", "s3"])
def outage(request: pytest.FixtureRequest, tmp_path: Path) -> Outage:
    if request.param == "s3":
        wire: Wire = request.getfixturevalue("wire")
        return Outage(f"s3://{request.getfixturevalue('bucket')}/jobs", wire.cut, wire.mend)
    root, elsewhere = tmp_path / "files", tmp_path / "unplugged"
    return Outage(str(root), lambda: root.rename(elsewhere), lambda: elsewhere.rename(root))


def test_storage_unavailable(settings: Settings, store: JobStore, outage: Outage):
    settings = settings.model_copy(update={"storage_url": outage.place})
    LiveWorkers(store.connection).beat("some worker")
    with served(settings) as api:
        job = post(api, PNG).json()
        finish(store, settings, job["id"])
        links = job["links"]["self"]
        assert api.get("/readyz").status_code == 200

        outage.begin()
        for answer in (
            post(api, PNG),
            api.get(f"{links}/archive"),
            api.get(f"{links}/images/0"),
            api.delete(links),
        ):
            assert (answer.status_code, slug(answer)) == (503, "storage-unavailable")
            assert answer.headers["retry-after"] == "10"
        unready = api.get("/readyz")
        assert unready.status_code == 503
        assert [fault["field"] for fault in unready.json()["errors"]] == ["storage"]
        # Reports need no storage, and the refused upload is no job.
        assert [item["id"] for item in api.get("/v1/jobs").json()["items"]] == [job["id"]]
        assert api.get(links).json()["state"] == "succeeded"

        outage.end()
        assert api.get("/readyz").status_code == 200
        assert api.get(f"{links}/archive").content == b"0123456789"
        assert api.delete(links).status_code == 204
    # Nothing of the refused upload, and nothing of the job that was removed.
    storage = Storage(outage.place)
    assert [path.rsplit("/", 1)[1] for path in storage.filesystem.find(storage.root)] == [
        "instance"
    ]


def test_storage_full(settings: Settings, store: JobStore, small_disk: Path):
    place = small_disk / "files"
    settings = settings.model_copy(update={"storage_url": str(place)})
    with served(settings) as api:
        first = post(api, PNG).json()
        answer = post(api, LARGE, LARGE)
        assert (answer.status_code, slug(answer)) == (507, "storage-full")
        assert answer.headers["retry-after"] == "10"
        assert [item["id"] for item in api.get("/v1/jobs").json()["items"]] == [first["id"]]
        assert {path.name for path in place.iterdir()} == {first["id"], ".goodmany"}
        # What is too large for the disk does no harm to what is not.
        assert post(api, PNG).status_code == 202


def test_a_sweep_waits_for_the_storage(settings: Settings, store: JobStore, outage: Outage):
    settings = settings.model_copy(update={"storage_url": outage.place})
    with served(settings) as api:
        job_id = post(api, PNG).json()["id"]
        finish(store, settings, job_id)
    storage = Storage(outage.place)
    store.connection.zadd(EXPIRY_KEY, {job_id: 1})
    outage.begin()
    with pytest.raises(StorageUnavailable):
        sweep_expired(store, storage)
    assert store.state(job_id) == "succeeded"
    outage.end()
    assert sweep_expired(store, storage) == 1
    assert store.state(job_id) == "expired"
    assert [path.rsplit("/", 1)[1] for path in storage.filesystem.find(storage.root)] == [
        "instance"
    ]
