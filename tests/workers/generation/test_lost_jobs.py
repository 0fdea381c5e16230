"""A job that is not over is on somebody's list, whatever has become of RQ's books."""

import pytest
from rq.job import Job as QueuedJob
from rq.serializers import JSONSerializer

from app.jobs.model import JobState, Priority
from app.jobs.store import JobStore
from tests.workers.generation.jobs_under_test import JobsUnderTest
from workers.generation.lost_jobs import LOCK_KEY, requeue_lost_jobs


@pytest.fixture
def jobs(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> JobsUnderTest:
    return JobsUnderTest(store, monkeypatch)


def lose(store: JobStore, job_id: str) -> None:
    """RQ knows nothing of the job any more."""
    for queue in store.queues:
        store.connection.lrem(queue.key, 1, job_id)
    QueuedJob(job_id, store.connection, serializer=JSONSerializer).delete()


def look(store: JobStore) -> int:
    store.connection.delete(LOCK_KEY)
    return requeue_lost_jobs(store)


@pytest.mark.parametrize("state", [JobState.queued, JobState.running])
def test_a_lost_job_comes_back_to_the_front_of_its_queue(jobs: JobsUnderTest, state: JobState):
    store = jobs.store
    lost = jobs.submit("succeed", Priority.batch)
    other = jobs.submit("succeed", Priority.batch)
    if state is JobState.running:
        store.start(lost, "a")
    lose(store, lost)
    assert look(store) == 1
    assert [store.get(job_id).queue_position for job_id in (lost, other)] == [1, 2]
    assert store.state(lost) is JobState.queued
    assert look(store) == 0


def test_a_job_that_is_lost_again_and_again_fails(jobs: JobsUnderTest):
    job_id = jobs.submit("succeed")
    for _ in range(jobs.store.settings.max_retries):
        lose(jobs.store, job_id)
        assert look(jobs.store) == 1
        assert jobs.store.state(job_id) is JobState.queued
    lose(jobs.store, job_id)
    assert look(jobs.store) == 1
    assert jobs.problem_slug(job_id) == "worker-lost"


def test_jobs_that_wait_change_hands_or_run_are_left_alone(jobs: JobsUnderTest, start_worker):
    store = jobs.store
    start_worker()
    running = jobs.submit("hang_once")
    jobs.wait_running(running)
    changing, waiting = jobs.submit("succeed"), jobs.submit("succeed", Priority.batch)
    (queue, _) = store.queues
    store.connection.lmove(queue.key, queue.intermediate_queue_key)
    before = [store.get(job_id) for job_id in (running, changing, waiting)]
    assert look(store) == 0
    assert [store.get(job_id) for job_id in (running, changing, waiting)] == before


def test_of_several_workers_one_looks(jobs: JobsUnderTest):
    lose(jobs.store, jobs.submit("succeed"))
    assert look(jobs.store) == 1
    lose(jobs.store, jobs.submit("succeed"))
    assert requeue_lost_jobs(jobs.store) == 0
