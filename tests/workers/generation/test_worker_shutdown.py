"""How a worker starts and ends: without models, by signals, by force."""

import os
import time
from collections.abc import Callable

import pytest

from app.jobs.model import JobState
from app.jobs.store import JobStore
from app.observability.live_workers import LiveWorkers
from app.settings import Settings
from tests.conftest import PATIENCE_S, WorkerProcess, wait_until
from tests.workers.generation.job_functions import CHILD_KEY
from tests.workers.generation.jobs_under_test import JobsUnderTest

pytestmark = pytest.mark.slow

StartWorker = Callable[[], WorkerProcess]


@pytest.fixture
def jobs(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> JobsUnderTest:
    return JobsUnderTest(store, monkeypatch)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_signal_lets_the_job_end_first(
    jobs: JobsUnderTest, start_worker: StartWorker, capfd: pytest.CaptureFixture[str]
):
    worker = start_worker()
    job_id = jobs.submit("hang_once")
    jobs.wait_running(job_id)
    worker.process.terminate()
    wait_until(lambda: "warm shut down requested" in "".join(capfd.readouterr()))
    assert worker.process.is_alive()
    jobs.store.connection.rpush(CHILD_KEY, 0)
    worker.process.join(PATIENCE_S)
    assert worker.process.exitcode == 0
    assert jobs.store.state(job_id) is JobState.succeeded
    assert LiveWorkers(jobs.store.connection).count() == 0


def test_a_second_signal_gives_the_job_back_to_the_next_worker(
    jobs: JobsUnderTest, start_worker: StartWorker
):
    worker = start_worker()
    job_id = jobs.submit("hang_once")
    jobs.wait_running(job_id)
    worker.signal_until_gone()
    job = jobs.store.get(job_id)
    assert (job.state, job.queue_position) == (JobState.queued, 1)
    assert not is_alive(jobs.child_pids()[0])
    start_worker()
    assert jobs.ended(job_id).state is JobState.succeeded


def test_a_killed_worker_takes_its_child_along_and_the_next_does_its_job(
    jobs: JobsUnderTest, start_worker: StartWorker
):
    worker = start_worker()
    job_id = jobs.submit("hang_once")
    jobs.wait_running(job_id)
    worker.process.kill()
    wait_until(lambda: not is_alive(jobs.child_pids()[0]))
    redis = jobs.store.connection
    redis.delete("goodmany:workers")
    # As if the time since the last heartbeat were over.
    (taken,) = redis.zrange("rq:wip:interactive", 0, -1)
    redis.zadd("rq:wip:interactive", {taken: time.time() - 1})
    start_worker()
    assert jobs.ended(job_id).state is JobState.succeeded


@pytest.mark.parametrize(
    ("loader", "sentence"),
    [
        ("load_in_vain", "There is no model in /nowhere/vqgan."),
        ("crash_while_loading", "The child died while loading (exit code 7)."),
    ],
)
def test_a_worker_without_models_says_so_and_never_takes_a_job(
    jobs: JobsUnderTest, settings: Settings, loader: str, sentence: str
):
    job_id = jobs.submit("succeed")
    missing = settings.model_copy(update={"vqgan": "/nowhere/vqgan"})
    worker = WorkerProcess(missing, f"tests.workers.generation.job_functions:{loader}")
    worker.process.join(PATIENCE_S)
    assert worker.process.exitcode == 1
    live_workers = LiveWorkers(jobs.store.connection)
    assert live_workers.count() == 0
    assert live_workers.start_failure() == sentence
    assert jobs.store.state(job_id) is JobState.queued
