"""The warm worker under every kind of failure; the jobs are small, worker and Redis are real."""

import os
import signal
import time

import pytest
from rq.command import send_stop_job_command
from rq.serializers import JSONSerializer

import app.job_store
from app.job_store import JobStore
from app.jobs import Job, JobRequest, JobState, new_job_id
from app.live_workers import LiveWorkers
from tests.conftest import WorkerProcess, wait_until
from tests.workers.job_functions import CHILD_KEY

WISH = JobRequest(object_name="nut")


@pytest.fixture
def submit(store: JobStore, monkeypatch: pytest.MonkeyPatch):
    """Queues a job that runs one of the functions of `job_functions`."""

    def queue(function: str) -> str:
        monkeypatch.setattr(app.job_store, "TASK", f"tests.workers.job_functions.{function}")
        return store.create(new_job_id(), WISH, 1).id

    return queue


def ended(store: JobStore, job_id: str, timeout_s: float = 20.0) -> Job:
    wait_until(lambda: store.get(job_id).state.is_over, timeout_s)
    return store.get(job_id)


def running(store: JobStore, job_id: str, attempts: int = 1) -> None:
    wait_until(
        lambda: (
            store.state(job_id) is JobState.running and store.connection.llen(CHILD_KEY) >= attempts
        )
    )


def child_pids(store: JobStore) -> list[int]:
    return [int(pid) for pid in store.connection.lrange(CHILD_KEY, 0, -1)]


def test_all_jobs_run_in_one_child(store: JobStore, submit, start_worker):
    worker = start_worker()
    for _ in range(3):
        assert ended(store, submit("succeed")).state is JobState.succeeded
    (pid,) = set(child_pids(store))
    assert pid != worker.process.pid


def test_an_exception_fails_the_job_without_its_text_and_keeps_the_child(
    store: JobStore, submit, start_worker
):
    start_worker()
    job = ended(store, submit("fail"))
    assert job.state is JobState.failed
    assert job.problem is not None
    assert job.problem.type == "urn:goodmany:problem:generation-failed"
    assert "ZeroDivisionError" in job.problem.detail
    assert "secret" not in job.problem.detail
    assert ended(store, submit("succeed")).state is JobState.succeeded
    # One attempt each: what raised once would raise again.
    assert len(child_pids(store)) == 2
    assert len(set(child_pids(store))) == 1


def test_a_problem_raised_by_the_task_lands_on_the_record(store: JobStore, submit, start_worker):
    start_worker()
    job = ended(store, submit("fail_with_problem"))
    assert job.problem is not None
    assert job.problem.type == "urn:goodmany:problem:too-few-images"
    assert job.problem.detail == "2 of 5 images passed."


def test_a_killed_child_is_replaced_and_its_job_runs_again(store: JobStore, submit, start_worker):
    start_worker()
    job_id = submit("hang_once")
    running(store, job_id)
    os.kill(child_pids(store)[0], signal.SIGKILL)
    assert ended(store, job_id).state is JobState.succeeded
    assert len(set(child_pids(store))) == 2


def test_a_job_that_always_kills_its_child_fails_after_its_retries(
    store: JobStore, submit, start_worker
):
    start_worker()
    job = ended(store, submit("exit_child"))
    assert job.state is JobState.failed
    assert job.problem is not None
    assert job.problem.type == "urn:goodmany:problem:worker-lost"
    assert len(child_pids(store)) == 2
    assert ended(store, submit("succeed")).state is JobState.succeeded


def test_an_idle_child_that_dies_is_replaced(store: JobStore, submit, start_worker):
    start_worker()
    ended(store, submit("succeed"))
    os.kill(child_pids(store)[0], signal.SIGKILL)
    assert ended(store, submit("succeed")).state is JobState.succeeded
    assert len(set(child_pids(store))) == 2


def test_a_job_over_its_timeout_fails_in_the_child(
    store: JobStore, submit, start_worker, monkeypatch
):
    store.settings = store.settings.model_copy(update={"job_timeout_s": 1})
    start_worker()
    job = ended(store, submit("hang"))
    assert job.problem is not None
    assert job.problem.type == "urn:goodmany:problem:job-timed-out"
    assert ended(store, submit("succeed")).state is JobState.succeeded
    assert len(set(child_pids(store))) == 1


def test_a_job_that_ignores_its_timeout_is_killed(store: JobStore, submit, start_worker):
    store.settings = store.settings.model_copy(update={"job_timeout_s": 1})
    start_worker()
    job = ended(store, submit("ignore_timeout"), 30)
    assert job.problem is not None
    assert job.problem.type == "urn:goodmany:problem:job-timed-out"
    assert len(child_pids(store)) == 1


def test_a_canceled_job_stops_by_itself(store: JobStore, submit, start_worker):
    start_worker(cancel_grace_s=60)
    job_id = submit("look_and_stop")
    running(store, job_id)
    assert store.cancel(job_id).state is JobState.canceled
    wait_until(lambda: bool(store.connection.exists("test:stopped")), 2)
    assert ended(store, submit("succeed")).state is JobState.succeeded
    assert store.state(job_id) is JobState.canceled
    assert len(set(child_pids(store))) == 1


def test_a_canceled_job_that_does_not_look_is_killed_after_the_grace(
    store: JobStore, submit, start_worker
):
    start_worker()
    job_id = submit("hang")
    running(store, job_id)
    store.cancel(job_id)
    assert ended(store, submit("succeed")).state is JobState.succeeded
    assert store.state(job_id) is JobState.canceled
    # Neither tried again nor left with a problem.
    assert len(set(child_pids(store))) == 2
    assert store.get(job_id).problem is None


def test_a_job_canceled_in_the_queue_never_starts(store: JobStore, submit, start_worker):
    job_id = submit("succeed")
    store.cancel(job_id)
    start_worker()
    ended(store, submit("succeed"))
    assert store.state(job_id) is JobState.canceled
    assert len(child_pids(store)) == 1


def test_the_stop_command_of_rq_cancels_the_job(store: JobStore, submit, start_worker):
    start_worker()
    job_id = submit("hang")
    running(store, job_id)
    send_stop_job_command(store.connection, job_id, serializer=JSONSerializer)
    assert ended(store, job_id).state is JobState.canceled
    assert len(child_pids(store)) == 1


def test_a_signal_lets_the_job_end_first(store: JobStore, submit, start_worker):
    worker: WorkerProcess = start_worker()
    job_id = submit("hang_once")
    running(store, job_id)
    worker.process.terminate()
    time.sleep(0.5)
    assert worker.process.is_alive()
    store.connection.rpush(CHILD_KEY, 0)
    worker.process.join(10)
    assert worker.process.exitcode == 0
    assert store.state(job_id) is JobState.succeeded
    assert LiveWorkers(store.connection).count() == 0


def test_a_second_signal_gives_the_job_back(store: JobStore, submit, start_worker):
    worker: WorkerProcess = start_worker()
    job_id = submit("hang_once")
    running(store, job_id)
    worker.process.terminate()
    time.sleep(1.1)
    worker.process.terminate()
    worker.process.join(10)
    job = store.get(job_id)
    assert (job.state, job.queue_position) == (JobState.queued, 1)
    assert not is_alive(child_pids(store)[0])
    start_worker()
    assert ended(store, job_id).state is JobState.succeeded


def test_a_killed_worker_takes_its_child_along_and_its_job_is_done_by_the_next(
    store: JobStore, submit, start_worker, monkeypatch
):
    monkeypatch.setattr("workers.worker.JOB_HEARTBEAT_TTL_S", 2)
    worker: WorkerProcess = start_worker()
    job_id = submit("hang_once")
    running(store, job_id)
    worker.process.kill()
    wait_until(lambda: not is_alive(child_pids(store)[0]), 5)
    store.connection.delete("goodmany:workers")
    # As if the heartbeat's time were over.
    for key in store.connection.scan_iter("rq:wip:*"):
        for member in store.connection.zrange(key, 0, -1):
            store.connection.zadd(key, {member: time.time() - 1})
    start_worker()
    assert ended(store, job_id).state is JobState.succeeded


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("loader", "sentence"),
    [
        ("load_in_vain", "There is no model in /nowhere/vqgan."),
        ("crash_while_loading", "The child died while loading (exit code 7)."),
    ],
)
def test_a_worker_without_models_says_so_and_never_takes_a_job(
    store: JobStore, submit, settings, loader: str, sentence: str
):
    job_id = submit("succeed")
    missing = settings.model_copy(update={"vqgan": "/nowhere/vqgan"})
    worker = WorkerProcess(missing, f"tests.workers.job_functions:{loader}")
    worker.process.join(30)
    assert worker.process.exitcode == 1
    live_workers = LiveWorkers(store.connection)
    assert live_workers.count() == 0
    assert live_workers.start_failure() == sentence
    assert store.state(job_id) is JobState.queued
