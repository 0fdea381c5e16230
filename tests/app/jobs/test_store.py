"""The records' laws: final states stay, only the last attempt is heard, progress is replayable."""

import threading
from itertools import pairwise

import pytest

from app.jobs.failures import as_failure
from app.jobs.model import JobRequest, JobState, new_job_id
from app.jobs.store import JobStore
from app.problems import GenerationFailed, JobAlreadyOver, JobNotFound, TooManyJobs

ASKED = JobRequest(object_name="nut", num_images=4)


@pytest.fixture
def job_id(store: JobStore) -> str:
    return store.create(new_job_id(), ASKED, 1).id


def end(store: JobStore, job_id: str, state: JobState) -> None:
    store.start(job_id, "a")
    if state is JobState.succeeded:
        store.succeed(job_id, "a", {})
    elif state is JobState.failed:
        store.fail(job_id, GenerationFailed("It broke."))
    else:
        store.cancel(job_id)


@pytest.mark.parametrize("state", [JobState.succeeded, JobState.failed, JobState.canceled])
def test_a_final_state_stays(store: JobStore, job_id: str, state: JobState):
    end(store, job_id, state)
    before = store.get(job_id)
    assert before.state is state
    assert before.ended_at is not None
    assert before.expires_at is not None
    assert before.expires_at > before.ended_at
    assert not store.start(job_id, "b")
    assert not store.progress(job_id, "a", {"percent": "1"})
    store.succeed(job_id, "a", {"num_images": "9"})
    assert not store.fail(job_id, GenerationFailed("Again."))
    assert not store.requeue(job_id)
    with pytest.raises(JobAlreadyOver):
        store.cancel(job_id)
    assert store.get(job_id) == before


def test_only_the_last_attempt_is_heard(store: JobStore, job_id: str):
    assert store.start(job_id, "first")
    assert store.start(job_id, "second")
    assert not store.progress(job_id, "first", {"percent": "99"})
    assert not store.succeed(job_id, "first", {})
    assert store.get(job_id).percent == 0
    assert store.succeed(job_id, "second", {"num_images": "4"})


def test_batch_jobs_stand_behind_all_interactive_ones(store: JobStore):
    order = ["batch", "interactive", "batch", "interactive"]
    requests = [JobRequest(object_name="nut", priority=priority) for priority in order]
    ids = [store.create(new_job_id(), asked, 1).id for asked in requests]
    assert [store.get(job_id).queue_position for job_id in ids] == [3, 1, 4, 2]
    assert [store.get(job_id).priority for job_id in ids] == order
    store.cancel(ids[1])
    assert [store.get(job_id).queue_position for job_id in ids] == [2, None, 3, 1]


def test_a_lost_job_waits_again_and_its_old_attempt_is_not_heard(store: JobStore, job_id: str):
    store.start(job_id, "first")
    store.progress(job_id, "first", {"stage": "fill", "percent": "80"})
    assert store.requeue(job_id)
    job = store.get(job_id)
    assert (job.state, job.stage, job.percent) == (JobState.queued, None, 0)
    assert not store.progress(job_id, "first", {"percent": "81"})


def test_of_cancel_and_success_exactly_one_wins(store: JobStore):
    for _ in range(30):
        job_id = store.create(new_job_id(), ASKED, 1).id
        store.start(job_id, "a")
        won: list[str] = []

        def succeed(job_id: str = job_id, won: list[str] = won) -> None:
            if store.succeed(job_id, "a", {}):
                won.append("succeeded")

        def cancel(job_id: str = job_id, won: list[str] = won) -> None:
            try:
                store.cancel(job_id)
                won.append("canceled")
            except JobAlreadyOver:
                pass

        threads = [threading.Thread(target=succeed), threading.Thread(target=cancel)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert won == [store.state(job_id)]


def test_a_problem_comes_back_with_its_advice(store: JobStore, job_id: str):
    problem = GenerationFailed("It broke.")
    store.fail(job_id, problem)
    found = store.get(job_id).problem
    assert found is not None
    assert found.model_dump(exclude_defaults=True) == as_failure(problem)


def test_every_change_leaves_an_event(store: JobStore, job_id: str):
    store.start(job_id, "a")
    store.progress(job_id, "a", {"stage": "fill", "percent": "80", "prompt": "a nut"})
    store.succeed(job_id, "a", {"num_images": "4"})
    events = store.connection.xrange(f"goodmany:job:{job_id}:events")
    assert [event[b"state"] for _, event in events] == [
        b"queued",
        b"running",
        b"running",
        b"succeeded",
    ]
    assert events[2][1][b"prompt"] == b"a nut"
    assert events[3][1][b"num_images"] == b"4"


def test_an_unknown_job_is_unknown_everywhere(store: JobStore):
    for ask in (store.get, store.get_record, store.cancel):
        with pytest.raises(JobNotFound):
            ask("0" * 32)
    assert store.state("0" * 32) is None
    assert not store.start("0" * 32, "a")


def test_ids_sort_by_time_and_never_repeat():
    ids = [new_job_id() for _ in range(2000)]
    assert len(set(ids)) == len(ids)
    assert all(a[:12] <= b[:12] for a, b in pairwise(ids))


def test_a_canceled_job_leaves_nothing_in_the_queue(store: JobStore, job_id: str):
    store.cancel(job_id)
    assert store.queues[0].job_ids == []
    assert not store.connection.exists(f"rq:job:{job_id}")


def test_queued_jobs_are_counted_from_the_next(store: JobStore):
    jobs = [store.create(new_job_id(), ASKED, 1) for _ in range(3)]
    assert [job.queue_position for job in jobs] == [1, 2, 3]
    store.cancel(jobs[0].id)
    assert [store.get(job.id).queue_position for job in jobs] == [None, 1, 2]


def test_a_job_is_unknown_to_all_but_its_owner_and_the_service(store: JobStore):
    job_id = store.create(new_job_id(), ASKED, 1, owner="a").id
    for stranger in ("", "b"):
        for ask in (store.get, store.cancel):
            with pytest.raises(JobNotFound):
                ask(job_id, stranger)
    assert store.get(job_id, "a") == store.get(job_id, None)
    assert store.cancel(job_id, None).state is JobState.canceled


@pytest.mark.parametrize("state", [JobState.succeeded, JobState.failed, JobState.canceled])
def test_room_comes_back_with_every_kind_of_end_and_not_before(store: JobStore, state: JobState):
    store.settings = store.settings.model_copy(update={"max_unfinished_jobs": 1})
    job_id = store.create(new_job_id(), ASKED, 1, owner="a").id
    store.start(job_id, "first")
    store.requeue(job_id)
    with pytest.raises(TooManyJobs):
        store.create(new_job_id(), ASKED, 1, owner="a")
    store.start(job_id, "a")
    if state is JobState.canceled:
        store.cancel(job_id, "a")
    else:
        end(store, job_id, state)
    store.create(new_job_id(), ASKED, 1, owner="a")


def test_who_comes_without_a_key_has_no_limit(store: JobStore):
    store.settings = store.settings.model_copy(update={"max_unfinished_jobs": 1})
    for _ in range(3):
        store.create(new_job_id(), ASKED, 1)
