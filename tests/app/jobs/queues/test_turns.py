"""Within a queue keys take turns, within a key the first comes first, and nothing is ever lost."""

import random
from collections import Counter
from collections.abc import Callable

import pytest
from rq.serializers import JSONSerializer

import app.jobs.queues.turns
from app.jobs.model import JobRequest, JobState, Priority, new_job_id
from app.jobs.store import QUEUE_NAMES, JobStore
from tests.conftest import WorkerProcess, wait_until
from tests.workers.generation.job_functions import CHILD_KEY
from tests.workers.generation.jobs_under_test import JobsUnderTest
from workers.generation.priority_queue import PriorityQueue


def create(store: JobStore, owner: str, priority: Priority = Priority.interactive) -> str:
    asked = JobRequest(object_name="nut", priority=priority)
    return store.create(new_job_id(), asked, 1, owner=owner).id


def waiting(store: JobStore, priority: Priority = Priority.interactive) -> list[str]:
    (queue,) = (queue for queue in store.queues if queue.name == priority)
    return [job_id.decode() for job_id in store.connection.lrange(queue.key, 0, -1)]


def owners(store: JobStore, priority: Priority = Priority.interactive) -> str:
    """Whose jobs wait, in the order in which they will be taken."""
    return "".join(store.get_record(job_id)["owner"] or "-" for job_id in waiting(store, priority))


@pytest.mark.parametrize(
    ("came", "order"),
    [
        ("aaaab", "abaaa"),
        ("aaabbb", "ababab"),
        ("aaabbbcc", "abcabcab"),
        ("ab", "ab"),
        ("aabcbc", "abcabc"),
        ("-----a", "-a----"),
        ("aaaa", "aaaa"),
        ("----", "----"),
    ],
)
def test_keys_take_turns(store: JobStore, came: str, order: str):
    for owner in came:
        create(store, owner.strip("-"))
    assert owners(store) == order


def test_laws_of_turns(store: JobStore):
    """Whoever comes when: all wait once, each key in its own order, and none behind its turn."""
    rng = random.Random(0)
    came: dict[str, list[str]] = {owner: [] for owner in "abcd"}
    for _ in range(60):
        owner = rng.choices("abcd", weights=(12, 3, 2, 1))[0]
        came[owner].append(create(store, owner))
    order = waiting(store)
    assert Counter(order) == Counter(job_id for ids in came.values() for job_id in ids)
    for ids in came.values():
        assert [job_id for job_id in order if job_id in ids] == ids
        for turn, job_id in enumerate(ids):
            most_ahead = sum(min(len(others), turn + 1) for others in came.values()) - 1
            assert order.index(job_id) <= most_ahead


def test_positions_are_those_of_the_turns(store: JobStore):
    first, second = create(store, "a"), create(store, "a")
    assert store.get(second, "a").queue_position == 2
    other = create(store, "b")
    found = [store.get(job_id, None).queue_position for job_id in (first, other, second)]
    assert found == [1, 2, 3]


def test_each_priority_has_turns_of_its_own(store: JobStore):
    for owner in "aab":
        create(store, owner, Priority.batch)
    for owner in "aac":
        create(store, owner)
    assert owners(store) == "aca"
    assert owners(store, Priority.batch) == "aba"


def test_a_job_that_is_worked_on_was_its_keys_turn(
    store: JobStore, monkeypatch: pytest.MonkeyPatch, start_worker: Callable[..., WorkerProcess]
):
    jobs = JobsUnderTest(store, monkeypatch)
    start_worker()
    running = jobs.submit("hang_once", owner="a")
    jobs.wait_running(running)
    later = [jobs.submit("succeed", owner="a") for _ in range(2)]
    other = jobs.submit("succeed", owner="b")
    assert owners(store) == "baa"
    store.connection.rpush(CHILD_KEY, 0)
    ended = [jobs.ended(job_id).ended_at for job_id in (running, other, *later)]
    assert ended == sorted(ended)


def test_jobs_of_another_version_and_what_is_no_job_are_in_nobodys_way(store: JobStore):
    key = store.queues[0].key
    create(store, "a")
    store.connection.rpush(key, "garbage", "f" * 32)
    create(store, "a")
    other = create(store, "b")
    assert waiting(store)[-1] != other
    assert len(waiting(store)) == 5


def test_in_a_very_long_queue_a_job_stays_at_the_end(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(app.jobs.queues.turns, "MAX_WAITING", 3)
    for owner in "aaab":
        create(store, owner)
    assert owners(store) == "aaab"


def test_a_taken_job_lies_in_the_intermediate_list_as_ever(store: JobStore):
    for owner in "aab":
        create(store, owner)
    expected = waiting(store)
    queues = [
        PriorityQueue(name, connection=store.connection, serializer=JSONSerializer)
        for name in QUEUE_NAMES
    ]
    taken = []
    for _ in expected:
        found = PriorityQueue.dequeue_any(
            queues, None, connection=store.connection, serializer=JSONSerializer
        )
        taken.append(found[0].id)
    assert taken == expected
    assert sorted(queues[0].intermediate_queue.get_job_ids()) == sorted(expected)


def test_a_job_that_comes_back_goes_first(store: JobStore):
    for owner in "ab":
        create(store, owner)
    back = create(store, "a")
    store.queues[0].remove(back)
    store.connection.lpush(store.queues[0].key, back)
    newest = create(store, "b")
    assert waiting(store)[0] == back
    assert waiting(store)[-1] == newest
    store.cancel(back, None)
    wait_until(lambda: store.state(back) is JobState.canceled)
