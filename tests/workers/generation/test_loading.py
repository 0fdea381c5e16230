"""A worker is ready before all is loaded that a job begins with; worker, child, Redis are real."""

from collections.abc import Callable

import pytest
from rq.job import Job as QueuedJob
from rq.serializers import JSONSerializer

from app.jobs.model import JobState
from app.jobs.store import QUEUE_NAMES, JobStore
from app.observability.live_workers import LiveWorkers
from tests.conftest import PATIENCE_S, WorkerProcess, wait_until
from tests.workers.generation.job_functions import CHILD_KEY, REST_KEY
from tests.workers.generation.jobs_under_test import JobsUnderTest

pytestmark = pytest.mark.slow

StartWorker = Callable[..., WorkerProcess]
LOADERS = "tests.workers.generation.job_functions:"
FAILURES = [
    ("load_rest_in_vain", "There is no model in /nowhere/vqgan."),
    ("crash_in_the_rest", "The child died while loading (exit code 7)."),
]


@pytest.fixture
def jobs(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> JobsUnderTest:
    return JobsUnderTest(store, monkeypatch)


def is_taken(store: JobStore) -> bool:
    """Whether a worker holds a job, begun or not."""
    return any(store.connection.zcard(f"rq:wip:{name}") for name in QUEUE_NAMES)


def let_it_load(store: JobStore) -> None:
    store.connection.set(REST_KEY, 1)


def test_a_worker_is_ready_first_and_its_job_begins_when_the_rest_is_loaded(
    jobs: JobsUnderTest, start_worker: StartWorker
):
    start_worker(f"{LOADERS}load_rest_later")
    assert LiveWorkers(jobs.store.connection).count() == 1
    job_id = jobs.submit("succeed")
    wait_until(lambda: is_taken(jobs.store))
    assert jobs.store.state(job_id) is JobState.queued
    let_it_load(jobs.store)
    assert jobs.ended(job_id).state is JobState.succeeded
    # The rest, and after it the job.
    first, *others = jobs.store.connection.lrange(CHILD_KEY, 0, -1)
    assert (first, len(others)) == (b"loaded", 1)


def test_a_job_that_waits_for_the_rest_can_be_canceled(
    jobs: JobsUnderTest, start_worker: StartWorker
):
    start_worker(f"{LOADERS}load_rest_later", cancel_grace_s=0.1)
    job_id = jobs.submit("succeed")
    wait_until(lambda: is_taken(jobs.store))
    jobs.store.cancel(job_id)
    # The child that was killed for it is no model that cannot be loaded.
    wait_until(lambda: not is_taken(jobs.store))
    let_it_load(jobs.store)
    assert jobs.ended(jobs.submit("succeed")).state is JobState.succeeded
    assert jobs.store.state(job_id) is JobState.canceled


@pytest.mark.parametrize(("loader", "sentence"), FAILURES)
def test_a_worker_without_the_rest_ends_and_leaves_its_job_unharmed(
    jobs: JobsUnderTest, start_worker: StartWorker, loader: str, sentence: str
):
    worker = start_worker(LOADERS + loader, vqgan="/nowhere/vqgan")
    job_id = jobs.submit("succeed")
    wait_until(lambda: is_taken(jobs.store))
    before = queued(jobs.store, job_id).retries_left
    let_it_load(jobs.store)
    ends_with(worker, jobs.store, sentence)
    job = jobs.store.get(job_id)
    assert (job.state, job.queue_position) == (JobState.queued, 1)
    assert queued(jobs.store, job_id).retries_left == before
    start_worker()
    assert jobs.ended(job_id).state is JobState.succeeded


@pytest.mark.parametrize(("loader", "sentence"), FAILURES)
def test_an_idle_worker_without_the_rest_ends_too(
    jobs: JobsUnderTest, start_worker: StartWorker, loader: str, sentence: str
):
    worker = start_worker(LOADERS + loader, vqgan="/nowhere/vqgan")
    let_it_load(jobs.store)
    ends_with(worker, jobs.store, sentence)


def queued(store: JobStore, job_id: str) -> QueuedJob:
    return QueuedJob.fetch(job_id, store.connection, JSONSerializer)


def ends_with(worker: WorkerProcess, store: JobStore, sentence: str) -> None:
    worker.process.join(PATIENCE_S)
    assert worker.process.exitcode == 1
    live_workers = LiveWorkers(store.connection)
    assert live_workers.count() == 0
    assert live_workers.start_failure() == sentence
