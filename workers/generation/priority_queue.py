"""A queue of RQ's that takes from the first of several queues without ever losing a job.

RQ moves a job into an intermediate list while it changes hands, so that the job of a worker that is
killed at this moment is found again; but only for a worker with a single queue. With several it
simply pops, and the job is gone with the worker. Redis can wait for only one list at a time and
move what comes, so this queue waits for the first and looks at the others in between.
"""

import time
from collections.abc import Sequence
from typing import cast

import redis
from rq.exceptions import DequeueTimeout
from rq.intermediate_queue import IntermediateQueue

from workers.runtime.known_queue import KnownQueue

LOOK_EVERY_S = 0.25
# RQ's lock lasts 15 minutes; a worker that is killed with it would hold up all abandoned jobs.
MAINTENANCE_LOCK_S = 60


class PriorityQueue(KnownQueue):
    """One of a worker's queues; an earlier one goes first always."""

    @classmethod
    def lpop(
        cls,
        queue_keys: Sequence[str],
        timeout: int | None,
        connection: redis.Redis | None = None,
    ) -> tuple[str, bytes] | None:
        """The key of the first queue that has a job, and that job's id.

        What is no id is dropped.

        Args:
            queue_keys: the queues, the most urgent first.
            timeout: seconds to wait for a job; None does not wait.
            connection: to Redis.

        Raises:
            DequeueTimeout: none came.
        """
        assert connection is not None
        while True:
            taken = cls._take(queue_keys, timeout, connection)
            if taken is None or not cls.drops_garbage(connection, *taken):
                return taken

    @classmethod
    def _take(
        cls, queue_keys: Sequence[str], timeout: int | None, connection: redis.Redis
    ) -> tuple[str, bytes] | None:
        taken = [(key, IntermediateQueue.get_intermediate_queue_key(key)) for key in queue_keys]
        give_up = time.monotonic() + (timeout or 0)
        while True:
            for key, intermediate_key in taken:
                if (job_id := connection.lmove(key, intermediate_key)) is not None:
                    return key, cast(bytes, job_id)
            if timeout is None:
                return None
            if time.monotonic() > give_up:
                raise DequeueTimeout(timeout, queue_keys)
            key, intermediate_key = taken[0]
            job_id = connection.blmove(key, intermediate_key, cast(int, LOOK_EVERY_S))
            if job_id is not None:
                return key, cast(bytes, job_id)

    def acquire_maintenance_lock(self) -> bool:
        """Whether this worker is the one to look for abandoned jobs now."""
        return bool(
            self.connection.set(self.registry_cleaning_key, 1, nx=True, ex=MAINTENANCE_LOCK_S)
        )
