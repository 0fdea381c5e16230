"""One warm worker under every kind of failing job; worker and Redis are real."""

import os
import signal
from collections.abc import Iterator

import pytest
from rq.command import send_stop_job_command
from rq.serializers import JSONSerializer

from app.base.redis_connection import connect
from app.jobs.model import JobState
from app.jobs.store import JobStore
from app.observability.live_workers import LiveWorkers
from app.settings import Settings
from tests.conftest import WorkerProcess, wait_until
from tests.workers.generation.job_functions import CHILD_KEY
from tests.workers.generation.jobs_under_test import JobsUnderTest
from workers.serve.embedded_redis import EmbeddedRedis

pytestmark = pytest.mark.slow

LOADER = "tests.workers.generation.job_functions:load_nothing"


@pytest.fixture(scope="module")
def worker_store(
    redis_server: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JobStore]:
    """The store of a worker that serves all tests of this module."""
    settings = Settings(
        redis_url=redis_server.url,
        data_dir=tmp_path_factory.mktemp("data"),
        cancel_grace_s=1.0,
    )
    connection = connect(redis_server.url)
    connection.flushall()
    worker = WorkerProcess(settings, LOADER)
    wait_until(lambda: LiveWorkers(connection).count() > 0)
    yield JobStore(connection, settings)
    worker.stop()
    connection.close()


@pytest.fixture
def jobs(worker_store: JobStore, monkeypatch: pytest.MonkeyPatch) -> JobsUnderTest:
    worker_store.connection.delete(CHILD_KEY, "test:stopped")
    return JobsUnderTest(worker_store, monkeypatch)


@pytest.fixture
def short_timeout(jobs: JobsUnderTest) -> Iterator[None]:
    settings = jobs.store.settings
    jobs.store.settings = settings.model_copy(update={"job_timeout_s": 1})
    yield
    jobs.store.settings = settings


def test_all_jobs_run_in_one_child(jobs: JobsUnderTest):
    for _ in range(3):
        assert jobs.ended(jobs.submit("succeed")).state is JobState.succeeded
    assert len(set(jobs.child_pids())) == 1


def test_an_exception_fails_the_job_without_its_text_and_keeps_the_child(jobs: JobsUnderTest):
    job_id = jobs.submit("fail")
    assert jobs.problem_slug(job_id) == "generation-failed"
    problem = jobs.store.get(job_id).problem
    assert problem is not None
    assert "ZeroDivisionError" in problem.detail
    assert "secret" not in problem.detail
    assert jobs.ended(jobs.submit("succeed")).state is JobState.succeeded
    # One attempt each: what raised once would raise again.
    assert len(jobs.child_pids()) == 2
    assert len(set(jobs.child_pids())) == 1


def test_a_problem_raised_by_the_task_lands_on_the_record(jobs: JobsUnderTest):
    job_id = jobs.submit("fail_with_problem")
    assert jobs.problem_slug(job_id) == "too-few-images"
    problem = jobs.store.get(job_id).problem
    assert problem is not None
    assert problem.detail.startswith("2 of 5 images passed. ")


def test_a_killed_child_is_replaced_and_its_job_runs_again(jobs: JobsUnderTest):
    job_id = jobs.submit("hang_once")
    jobs.wait_running(job_id)
    os.kill(jobs.child_pids()[0], signal.SIGKILL)
    assert jobs.ended(job_id).state is JobState.succeeded
    assert len(set(jobs.child_pids())) == 2


def test_a_job_that_always_kills_its_child_fails_after_its_retries(jobs: JobsUnderTest):
    assert jobs.problem_slug(jobs.submit("exit_child")) == "worker-lost"
    assert len(jobs.child_pids()) == 2
    assert jobs.ended(jobs.submit("succeed")).state is JobState.succeeded


def test_an_idle_child_that_dies_is_replaced(jobs: JobsUnderTest):
    jobs.ended(jobs.submit("succeed"))
    os.kill(jobs.child_pids()[0], signal.SIGKILL)
    assert jobs.ended(jobs.submit("succeed")).state is JobState.succeeded
    assert len(set(jobs.child_pids())) == 2


@pytest.mark.usefixtures("short_timeout")
def test_a_job_over_its_timeout_fails_in_the_child(jobs: JobsUnderTest):
    assert jobs.problem_slug(jobs.submit("hang")) == "job-timed-out"
    assert jobs.ended(jobs.submit("succeed")).state is JobState.succeeded
    assert len(set(jobs.child_pids())) == 1


@pytest.mark.usefixtures("short_timeout")
def test_a_job_that_ignores_its_timeout_is_killed(jobs: JobsUnderTest):
    assert jobs.problem_slug(jobs.submit("ignore_timeout")) == "job-timed-out"
    assert len(jobs.child_pids()) == 1


def test_a_canceled_job_that_looks_stops_by_itself(jobs: JobsUnderTest):
    job_id = jobs.submit("look_and_stop")
    jobs.wait_running(job_id)
    assert jobs.store.cancel(job_id).state is JobState.canceled
    wait_until(lambda: bool(jobs.store.connection.exists("test:stopped")), 1)
    assert jobs.ended(jobs.submit("succeed")).state is JobState.succeeded
    assert jobs.store.state(job_id) is JobState.canceled
    assert len(set(jobs.child_pids())) == 1


def test_a_canceled_job_that_does_not_look_is_killed_after_the_grace(jobs: JobsUnderTest):
    job_id = jobs.submit("hang")
    jobs.wait_running(job_id)
    jobs.store.cancel(job_id)
    assert jobs.ended(jobs.submit("succeed")).state is JobState.succeeded
    # Neither tried again nor left with a problem.
    assert jobs.store.state(job_id) is JobState.canceled
    assert jobs.store.get(job_id).problem is None
    assert len(jobs.child_pids()) == len(set(jobs.child_pids())) == 2


def test_a_job_canceled_in_the_queue_never_starts(jobs: JobsUnderTest):
    first = jobs.submit("hang_once")
    jobs.wait_running(first)
    second = jobs.submit("succeed")
    jobs.store.cancel(second)
    jobs.store.connection.rpush(CHILD_KEY, 0)
    jobs.ended(first)
    jobs.ended(jobs.submit("succeed"))
    assert jobs.store.state(second) is JobState.canceled
    assert len([pid for pid in jobs.child_pids() if pid]) == 2


def test_the_stop_command_of_rq_cancels_the_job_whoever_it_belongs_to(jobs: JobsUnderTest):
    job_id = jobs.submit("hang", owner="a")
    jobs.wait_running(job_id)
    send_stop_job_command(jobs.store.connection, job_id, serializer=JSONSerializer)
    assert jobs.ended(job_id).state is JobState.canceled
    assert len(jobs.child_pids()) == 1
