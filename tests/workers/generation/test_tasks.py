"""A whole job: over HTTP, through Redis and the warm worker, with the real models."""

import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.base.redis_connection import connect
from app.files.storage import Storage
from app.jobs.model import JobRequest, JobState, new_job_id
from app.jobs.store import JobStore
from app.observability.live_workers import LiveWorkers
from app.settings import Settings
from goodmany import Client, Job, JobCanceledError, JobStatus
from goodmany.errors import InvalidRequestError
from tests.conftest import WorkerProcess, encode, texture, wait_until
from workers.generation.tasks import AttemptOverError, Progress
from workers.serve.api_server import ApiServer
from workers.serve.embedded_redis import EmbeddedRedis

pytestmark = pytest.mark.slow

ASKED: dict[str, Any] = {
    "object_name": "wall",
    "num_images": 2,
    "image_size": 64,
    "effort": "draft",
    "seed": 3,
    "preset": "varied",
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, JobStore]]:
    """API and worker with the models that are there by default, and a Redis of their own.

    The other tests' jobs are not for this worker.
    """
    redis_server = EmbeddedRedis(tmp_path_factory.mktemp("redis"))
    connection = connect(redis_server.url)
    settings = Settings(redis_url=redis_server.url, data_dir=tmp_path_factory.mktemp("data"))
    worker = WorkerProcess(settings, "tests.workers.generation.small_guard:load")
    server = ApiServer(settings, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [server.socket]})
    thread.start()
    wait_until(lambda: LiveWorkers(connection).count() > 0)
    with Client(server.address) as client:
        yield client, JobStore(connection, settings)
    server.should_exit = True
    thread.join()
    worker.stop()
    connection.close()
    redis_server.stop()


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inputs") / "wall.png"
    path.write_bytes(encode(texture((96, 96))))
    return path


@pytest.fixture(scope="module")
def followed(service: tuple[Client, JobStore], image: Path) -> list[JobStatus]:
    """One job as a client sees it, from its submission to its end."""
    client, _ = service
    told: list[JobStatus] = []
    client.submit(image, **ASKED).wait(told.append)
    return told


def read_archive(job: Job, folder: Path) -> dict[str, bytes]:
    job.download("archive", folder / "out.zip")
    with zipfile.ZipFile(folder / "out.zip") as file:
        assert file.testzip() is None
        return {name: file.read(name) for name in file.namelist()}


def test_a_ready_service_says_so(service: tuple[Client, JobStore]):
    assert service[0].http.get("/readyz").status_code == 200


def test_progress_grows_from_stage_to_stage(followed: list[JobStatus]):
    percents = [job.percent for job in followed]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert len({job.stage for job in followed}) >= 3
    done = followed[-1]
    assert done.prompt
    times = (done.created_at, done.started_at, done.ended_at, done.expires_at)
    assert sorted(time for time in times if time) == list(times)


def test_the_archive_holds_the_images_that_the_job_counts(
    service: tuple[Client, JobStore], followed: list[JobStatus], tmp_path: Path
):
    client, store = service
    done = followed[-1]
    contents = read_archive(client.job(done.id), tmp_path)
    pictures = [name for name in contents if name.startswith("wall/train/good/")]
    assert 1 <= len(pictures) == done.num_images <= ASKED["num_images"]
    # Beside the upload, whole files and nothing half-written.
    storage = Storage(store.settings.storage_address)
    left = storage.filesystem.find(storage.path(done.id, ""))
    names = {name.rsplit("/", 1)[1] for name in left}
    assert names == {"archive.zip", "evidence.zip", "preview.png", "variance.png", "000"}


@pytest.mark.parametrize("link", ["preview", "variance"])
def test_pictures_are_handed_out(
    service: tuple[Client, JobStore], followed: list[JobStatus], link: str
):
    picture = service[0].http.get(followed[-1].raw["links"][link])
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")


def test_the_same_wish_gives_the_same_images(
    service: tuple[Client, JobStore], followed: list[JobStatus], image: Path, tmp_path: Path
):
    client, _ = service
    again = client.submit(image, **ASKED)
    again.wait()
    jobs = (client.job(followed[-1].id), again)
    first, second = (read_archive(job, tmp_path) for job in jobs)
    del first["manifest.json"], second["manifest.json"]
    assert first == second


def test_a_running_job_is_canceled_and_leaves_no_archive(
    service: tuple[Client, JobStore], image: Path
):
    client, store = service
    job = client.submit(image, **{**ASKED, "num_images": 100, "effort": "high"})
    wait_until(lambda: store.state(job.id) is JobState.running)
    assert job.cancel().state == "canceled"
    with pytest.raises(JobCanceledError):
        job.wait()
    # The worker is free again, with the same warm models.
    assert client.submit(image, **ASKED).wait().state == "succeeded"
    assert client.http.get(f"/v1/jobs/{job.id}/archive").status_code == 409


def test_a_refused_job_is_told_in_words(service: tuple[Client, JobStore], image: Path):
    with pytest.raises(InvalidRequestError, match="The request is not valid: num_images: Input"):
        service[0].submit(image, **{**ASKED, "num_images": 0})


@pytest.fixture
def running_job(store: JobStore) -> str:
    job_id = store.create(new_job_id(), JobRequest(object_name="nut"), 1).id
    store.start(job_id, "attempt")
    return job_id


def test_progress_is_told_a_few_times_a_second(store: JobStore, running_job: str):
    progress = Progress(store, running_job, "attempt")
    for step in range(200):
        progress("fill", step / 10, {"num_images": step} if step == 100 else {})
    num_events = store.connection.xlen(f"goodmany:job:{running_job}:events")
    assert num_events < 10
    progress("archive", 99, {}, at_once=True)
    job = store.get(running_job)
    assert (job.stage, job.percent, job.num_images) == ("archive", 99, 100)


def test_progress_ends_a_canceled_job(store: JobStore, running_job: str):
    progress = Progress(store, running_job, "attempt")
    progress("fill", 10, {})
    store.cancel(running_job)
    with pytest.raises(AttemptOverError):
        progress("fill", 11, {}, at_once=True)


def test_progress_ends_an_attempt_that_was_taken_over(store: JobStore, running_job: str):
    store.start(running_job, "another")
    with pytest.raises(AttemptOverError):
        Progress(store, running_job, "attempt")("fill", 10, {})


def test_work_goes_on_while_redis_is_away(tmp_path: Path):
    redis = EmbeddedRedis(tmp_path / "redis")
    settings = Settings(redis_url=redis.url, data_dir=tmp_path)
    with connect(redis.url) as connection:
        store = JobStore(connection, settings)
        job_id = store.create(new_job_id(), JobRequest(object_name="nut"), 1).id
        store.start(job_id, "attempt")
        progress = Progress(store, job_id, "attempt")
        redis.stop()
        progress("fill", 50, {"prompt": "a nut"}, at_once=True)
        redis = EmbeddedRedis(tmp_path / "redis")
        progress("fill", 60, {}, at_once=True)
        job = store.get(job_id)
    redis.stop()
    assert (job.percent, job.prompt) == (60, "a nut")


def test_whoever_brings_another_pipeline_needs_no_torch():
    check = "import sys, workers.generation.tasks; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", check], check=True)
