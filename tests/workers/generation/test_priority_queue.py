"""Interactive jobs go first, and a job that changes hands is in one list or another always."""

import time
from collections.abc import Callable

import pytest
from rq.exceptions import DequeueTimeout
from rq.serializers import JSONSerializer

from app.jobs.model import JobState, Priority
from app.jobs.store import QUEUE_NAMES, JobStore
from tests.conftest import WorkerProcess
from tests.workers.generation.job_functions import CHILD_KEY
from tests.workers.generation.jobs_under_test import JobsUnderTest
from workers.generation.priority_queue import PriorityQueue

StartWorker = Callable[..., WorkerProcess]
BATCH, INTERACTIVE = Priority.batch, Priority.interactive


@pytest.fixture
def jobs(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> JobsUnderTest:
    return JobsUnderTest(store, monkeypatch)


def queues(store: JobStore) -> list[PriorityQueue]:
    return [
        PriorityQueue(name, connection=store.connection, serializer=JSONSerializer)
        for name in QUEUE_NAMES
    ]


def take(store: JobStore, timeout: int | None = None) -> str | None:
    taken = PriorityQueue.dequeue_any(
        queues(store), timeout, connection=store.connection, serializer=JSONSerializer
    )
    return taken and taken[0].id


def test_all_interactive_jobs_are_taken_first(jobs: JobsUnderTest):
    first, second, third, fourth = (
        jobs.submit("succeed", priority) for priority in (BATCH, INTERACTIVE, BATCH, INTERACTIVE)
    )
    assert [take(jobs.store) for _ in range(5)] == [second, fourth, first, third, None]


@pytest.mark.parametrize("priority", list(Priority))
def test_a_taken_job_stays_known_until_it_is_started(jobs: JobsUnderTest, priority: Priority):
    job_id = jobs.submit("succeed", priority)
    assert take(jobs.store, timeout=1) == job_id
    held = {queue.name: queue.intermediate_queue.get_job_ids() for queue in queues(jobs.store)}
    assert held.pop(priority) == [job_id]
    assert not any(held.values())


def test_no_job_comes_in_time(jobs: JobsUnderTest):
    with pytest.raises(DequeueTimeout):
        take(jobs.store, timeout=1)


def test_a_job_lost_between_queue_and_start_comes_back_to_the_front_of_its_queue(
    jobs: JobsUnderTest, start_worker: StartWorker
):
    """The worker that had taken it was killed before its child began."""
    lost = jobs.submit("succeed", BATCH)
    take(jobs.store)
    (queue,) = (queue for queue in queues(jobs.store) if queue.name == BATCH)
    first_seen = queue.intermediate_queue.get_first_seen_key(lost)
    jobs.store.connection.set(first_seen, time.time() - 61)
    start_worker()
    assert jobs.ended(lost).state is JobState.succeeded
    assert queue.intermediate_queue.get_job_ids() == []


def test_a_worker_takes_from_both_and_leaves_nothing_behind(
    jobs: JobsUnderTest, start_worker: StartWorker
):
    start_worker()
    first = jobs.submit("hang_once", BATCH)
    jobs.wait_running(first)
    waiting = [jobs.submit("succeed", priority) for priority in (BATCH, INTERACTIVE)]
    jobs.store.connection.rpush(CHILD_KEY, 0)
    ended = [jobs.ended(job_id).ended_at for job_id in (first, *reversed(waiting))]
    assert ended == sorted(ended)
    assert all(queue.intermediate_queue.get_job_ids() == [] for queue in queues(jobs.store))


def test_a_worker_for_one_queue_leaves_the_other_alone(
    jobs: JobsUnderTest, start_worker: StartWorker
):
    start_worker(queue_names=[BATCH])
    left = jobs.submit("succeed", INTERACTIVE)
    assert jobs.ended(jobs.submit("succeed", BATCH)).state is JobState.succeeded
    assert jobs.store.state(left) is JobState.queued


def test_a_job_that_is_given_back_goes_to_the_front_of_its_own_queue(
    jobs: JobsUnderTest, start_worker: StartWorker
):
    worker = start_worker()
    job_id = jobs.submit("hang_once", BATCH)
    jobs.wait_running(job_id)
    behind = jobs.submit("succeed", BATCH)
    worker.signal_until_gone()
    urgent = jobs.submit("succeed", INTERACTIVE)
    places = [jobs.store.get(name).queue_position for name in (urgent, job_id, behind)]
    assert places == [1, 2, 3]
