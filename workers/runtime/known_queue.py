"""RQ's queue as our workers take from it: what is no entry leaves it and ends nobody."""

import logging
import re
from collections.abc import Sequence
from typing import Any, cast

import redis
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job
from rq.queue import Queue

log = logging.getLogger("goodmany.worker")

# An entry of the jobs that are worked on names the execution too.
ID = re.compile(rb"[A-Za-z0-9_-]+(:[A-Za-z0-9_-]+)?")


def is_id(entry: bytes) -> bool:
    """Whether RQ can read it."""
    return ID.fullmatch(entry) is not None


class KnownQueue(Queue):
    """A queue of a worker whose jobs are `KnownJob`s."""

    @classmethod
    def lmove(
        cls, connection: redis.Redis, queue_key: str, timeout: int | None
    ) -> tuple[str, bytes] | None:
        """As RQ does, for a worker with a single queue; what is no id is dropped."""
        while True:
            taken = super().lmove(connection, queue_key, timeout)
            if taken is None or not cls.drops_garbage(connection, *taken):
                return taken

    @classmethod
    def drops_garbage(cls, connection: redis.Redis, queue_key: str, entry: bytes) -> bool:
        """Whether what was taken is no id; then it is removed for good."""
        if is_id(entry):
            return False
        log.error("%.100r in %s is no id and is dropped", entry, queue_key)
        _drop(connection, queue_key, entry)
        return True

    @classmethod
    def _fetch_dequeued_job(
        cls, connection: redis.Redis, queue_key: str, job_id: str, *args: Any, **kwargs: Any
    ) -> tuple[Job, Queue] | None:
        """As RQ does; an id without a job of ours does not wait among the taken ones."""
        found = super()._fetch_dequeued_job(connection, queue_key, job_id, *args, **kwargs)
        if found is None:
            log.warning("%.100s in %s stands for no job and is dropped", job_id, queue_key)
            _drop(connection, queue_key, job_id.encode())
        return found

    def clean(self) -> None:
        """Removes what RQ's maintenance would stumble over: entries that are no ids."""
        for entry in cast(list[bytes], self.connection.lrange(self.intermediate_queue_key, 0, -1)):
            self.drops_garbage(self.connection, self.key, entry)
        for registry in (
            self.started_job_registry,
            self.scheduled_job_registry,
            self.ready_job_registry,
        ):
            entries = cast(list[bytes], self.connection.zrange(registry.key, 0, -1))
            if garbage := [entry for entry in entries if not is_id(entry)]:
                log.error("%s held %d entries that are no ids", registry.key, len(garbage))
                self.connection.zrem(registry.key, *garbage)


def clean_queues(queues: Sequence[Queue]) -> None:
    """Does so for the queues of a worker, before RQ's own maintenance."""
    for queue in queues:
        assert isinstance(queue, KnownQueue)
        queue.clean()


def _drop(connection: redis.Redis, queue_key: str, entry: bytes) -> None:
    connection.lrem(IntermediateQueue.get_intermediate_queue_key(queue_key), 1, cast(str, entry))
