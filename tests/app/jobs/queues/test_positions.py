"""Places are counted over all queues, the first one first."""

from app.jobs.queues.positions import queue_positions
from app.jobs.store import JobStore


def test_a_place_counts_what_is_in_the_queues_before(store: JobStore):
    store.connection.rpush("first", "a", "b")
    store.connection.rpush("second", "c", "d")
    found = queue_positions(store.connection, ["first", "second"], ["d", "a", "gone", "b"])
    assert found == {"a": 1, "b": 2, "d": 4}


def test_nothing_is_asked_for_no_jobs(store: JobStore):
    before = store.connection.info("stats")["total_commands_processed"]
    assert queue_positions(store.connection, ["first"], []) == {}
    assert store.connection.info("stats")["total_commands_processed"] == before + 1
