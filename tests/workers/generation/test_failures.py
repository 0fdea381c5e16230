"""A job that fails says what happened and what its sender can do: each kind, provoked."""

import re
import shutil
from collections.abc import Callable

import pytest
from PIL import Image

from app.files.storage import Storage
from app.jobs.failures import ADVICE
from app.jobs.model import JobRequest, ProblemDetails, new_job_id
from app.jobs.store import JobStore
from app.problems import (
    DecoderUnavailable,
    GenerationFailed,
    InputLost,
    InvalidRequest,
    JobTimedOut,
    OtherVersion,
    OutOfMemory,
    Problem,
    StorageFull,
    StorageUnavailable,
    TooFewImages,
    UnusableImage,
    WorkerLost,
)
from tests.conftest import WorkerProcess, encode, texture, wait_until

pytestmark = pytest.mark.slow

StartWorker = Callable[..., WorkerProcess]
LOADER = "tests.workers.generation.faulty_pipeline:load"
WITHOUT_DECODER = f"{LOADER}_without_decoder"
TIMEOUT_S = 2


@pytest.fixture
def jobs(store: JobStore) -> "FailingJobs":
    return FailingJobs(store)


class FailingJobs:
    """Jobs with one image, and how they fail."""

    def __init__(self, store: JobStore):
        self.store, self.storage = store, Storage(store.settings.storage_address)

    def submit(self, object_name: str, content: bytes | None = None) -> str:
        job_id = new_job_id()
        self.storage.write(job_id, "inputs/000", content or encode(texture()))
        if object_name == "endless":
            settings = self.store.settings.model_copy(update={"job_timeout_s": TIMEOUT_S})
            self.store = JobStore(self.store.connection, settings)
        asked = JobRequest(object_name=object_name, num_images=2)
        return self.store.create(job_id, asked, 1).id

    def failure(self, job_id: str, kind: type[Problem], slug: str = "") -> ProblemDetails:
        """The job's problem, which is of this kind and says what this kind's table says."""
        wait_until(lambda: self.store.get(job_id).state.is_over)
        problem = self.store.get(job_id).problem
        assert problem is not None
        assert problem.type == f"urn:goodmany:problem:{slug or kind.slug}"
        assert problem.detail.endswith(f" {ADVICE[kind]}")
        return problem


# Object names and what is said before the advice.
IN_THE_METHOD: dict[str, tuple[type[Problem], str]] = {
    "device memory": (OutOfMemory, "The device's memory does not suffice"),
    "host memory": (OutOfMemory, "The worker's memory does not suffice"),
    "too strict": (TooFewImages, "1 of 2 images passed"),
    "a fault": (GenerationFailed, "The method raised ZeroDivisionError (failure "),
    "killed": (WorkerLost, "it was killed, as the system does when memory runs out"),
    "endless": (JobTimedOut, f"It was ended after {TIMEOUT_S} s."),
}


def test_the_method_may_fail_in_these_ways(
    jobs: FailingJobs, start_worker: StartWorker, capfd: pytest.CaptureFixture[str]
):
    start_worker(LOADER)
    ids = {name: jobs.submit(name) for name in IN_THE_METHOD}
    details = {
        name: jobs.failure(ids[name], kind).detail for name, (kind, _) in IN_THE_METHOD.items()
    }
    for name, (_, said) in IN_THE_METHOD.items():
        assert said in details[name]
    assert "secret" not in str(details)
    log = capfd.readouterr().err
    # What a client is told to look for is there.
    number = re.search(r"failure ([0-9a-f]{8})", details["a fault"])
    assert number is not None
    assert f"failure {number[1]}" in log
    assert "ZeroDivisionError: the secret reason" in log
    assert f"job {ids['killed']} lost its process" in log


def test_inputs_may_be_lost_and_requests_not_understood(
    jobs: FailingJobs, start_worker: StartWorker
):
    lost, changed, too_deep, newer = (jobs.submit("nut") for _ in range(4))
    jobs.storage.remove(lost, "inputs/000")
    jobs.storage.write(changed, "inputs/000", b"no longer an image")
    deep = JobRequest(object_name="nut", bit_depth=8).model_dump_json()
    jobs.store.connection.hset(f"goodmany:job:{too_deep}", "request", deep)
    jobs.storage.write(too_deep, "inputs/000", encode(Image.new("I;16", (64, 64), 4000)))
    jobs.store.connection.hset(f"goodmany:job:{newer}", "request", '{"object_name": 7}')
    start_worker(LOADER, outage_patience_s=1)
    jobs.failure(lost, InputLost)
    assert "images[0]" in jobs.failure(changed, UnusableImage, "not-an-image").detail
    assert "object_name" in jobs.failure(newer, OtherVersion).detail
    jobs.failure(too_deep, InvalidRequest)


def test_the_storage_may_be_away(jobs: FailingJobs, start_worker: StartWorker):
    start_worker(LOADER, outage_patience_s=1)
    job_id = jobs.submit("storage away")
    jobs.failure(job_id, StorageUnavailable)
    root = jobs.store.settings.storage_address
    shutil.move(f"{root}-away", root)


def test_the_storage_may_be_full(jobs: FailingJobs, start_worker: StartWorker):
    start_worker(LOADER, outage_patience_s=1, disk_reserve_bytes=2**60)
    jobs.failure(jobs.submit("nut"), StorageFull)


def test_the_decoder_may_be_away(jobs: FailingJobs, start_worker: StartWorker):
    start_worker(WITHOUT_DECODER, outage_patience_s=1)
    jobs.failure(jobs.submit("nut"), DecoderUnavailable)


def test_each_kind_of_failure_is_provoked_here():
    elsewhere = {InputLost, UnusableImage, OtherVersion, InvalidRequest}
    elsewhere |= {StorageUnavailable, StorageFull, DecoderUnavailable}
    assert set(ADVICE) == {kind for kind, _ in IN_THE_METHOD.values()} | elsewhere | {Problem}
