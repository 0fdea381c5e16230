"""Which workers are alive with their models loaded, and why the last one could not start."""

import time
from typing import cast

import redis

WORKERS_KEY = "goodmany:workers"
START_FAILURE_KEY = "goodmany:worker-start-failure"
BEAT_EVERY_S = 5
ALIVE_FOR_S = 20


class LiveWorkers:
    """A sorted set of worker names by the time until which each counts as alive."""

    def __init__(self, connection: redis.Redis):
        self.connection = connection

    def beat(self, name: str) -> None:
        """Says for `ALIVE_FOR_S` that this worker can take a job at once."""
        now = time.time()
        with self.connection.pipeline() as pipeline:
            pipeline.zadd(WORKERS_KEY, {name: now + ALIVE_FOR_S})
            pipeline.zremrangebyscore(WORKERS_KEY, "-inf", now)
            pipeline.delete(START_FAILURE_KEY)
            pipeline.execute()

    def leave(self, name: str) -> None:
        """Says that this worker takes no more jobs, or not now."""
        self.connection.zrem(WORKERS_KEY, name)

    def count(self) -> int:
        """How many workers can take a job at once."""
        return self.connection.zcount(WORKERS_KEY, time.time(), "+inf")

    def note_start_failure(self, sentence: str) -> None:
        """Keeps for an hour why a worker could not start, for `/readyz`."""
        self.connection.set(START_FAILURE_KEY, sentence, ex=3600)

    def start_failure(self) -> str | None:
        """What the last worker said that could not start; None when one has started since."""
        raw = cast(bytes | None, self.connection.get(START_FAILURE_KEY))
        return None if raw is None else raw.decode()
