"""Workers on several machines: one Redis, one bucket, and nothing else that they share."""

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from app.jobs.store import JobStore
from app.observability.live_workers import LiveWorkers
from app.settings import Settings
from tests.app.http.routes.test_jobs import post
from tests.conftest import PATIENCE_S, WorkerProcess, encode, texture, wait_until
from tests.s3_server import S3Server, Wire

StartWorker = Callable[..., WorkerProcess]
PNG = encode(texture())


@pytest.fixture
def settings(settings: Settings, bucket: str) -> Settings:
    return settings.model_copy(update={"storage_url": f"s3://{bucket}/jobs"})


def ended(api: httpx2.Client, link: str, timeout_s: float = PATIENCE_S) -> dict[str, str]:
    wait_until(lambda: api.get(link).json()["state"] not in ("queued", "running"), timeout_s)
    job: dict[str, str] = api.get(link).json()
    return job


def check_archive(api: httpx2.Client, link: str, num_images: int) -> None:
    answer = api.get(f"{link}/archive")
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        images = [name for name in archive.namelist() if "/train/good/" in name]
        assert len(images) == num_images
        last = archive.read(images[-1])
    assert api.get(f"{link}/images/{num_images - 1}").content == last
    assert api.get(f"{link}/preview").content.startswith(b"\x89PNG")


def test_two_workers_on_two_queues_share_one_bucket(
    api: httpx2.Client,
    store: JobStore,
    start_worker: StartWorker,
    s3_server: S3Server,
    bucket: str,
):
    for queue_name in ("interactive", "batch"):
        start_worker("tests.workers.generation.quick_pipeline:load", [queue_name])
    wait_until(lambda: LiveWorkers(store.connection).count() == 2)
    links = [
        post(api, PNG, num_images=3, priority=priority).json()["links"]["self"]
        for priority in ("interactive", "batch", "interactive", "batch")
    ]
    for link in links:
        assert ended(api, link)["state"] == "succeeded"
        check_archive(api, link, 3)
    # An upload and three outputs a job, whose storage it is, and no more.
    assert len(s3_server.keys(bucket)) == 4 * len(links) + 1
    assert s3_server.unfinished_uploads(bucket) == 0
    for link in links:
        assert api.delete(link).status_code == 204
    assert s3_server.keys(bucket) == ["jobs/.goodmany/instance"]


@pytest.fixture
def far_worker(settings: Settings, wire: Wire, tmp_path: Path) -> Iterator[Path]:
    """`goodmany worker` as on another machine; the folder that it was started in."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("goodmany")), "worker"],
            cwd=folder,
            env={
                "GOODMANY_REDIS_URL": settings.redis_url,
                "GOODMANY_STORAGE_URL": settings.storage_url,
                "AWS_ENDPOINT_URL": wire.address,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                # Where the tests' own copy of the program is, if it is not the installed one.
                "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            },
            stdout=log,
            stderr=log,
        )
    yield folder
    process.terminate()
    process.wait(30)


@pytest.mark.slow
def test_a_worker_elsewhere_needs_two_addresses_and_the_credentials(
    api: httpx2.Client, store: JobStore, far_worker: Path
):
    """With the real models: it is the whole program that must need nothing more."""
    wait_until(lambda: LiveWorkers(store.connection).count() == 1)
    asked = {"num_images": 2, "image_size": 64, "effort": "draft", "seed": 3}
    link = post(api, encode(texture((96, 96))), **asked).json()["links"]["self"]
    job = ended(api, link)
    assert job["state"] == "succeeded"
    check_archive(api, link, int(job["num_images"]))
    assert not list(far_worker.iterdir())
