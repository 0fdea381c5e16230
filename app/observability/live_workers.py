"""Which workers are alive with their models loaded, and why the last one could not start."""

import json
from dataclasses import asdict, dataclass, fields
from typing import cast

import redis

from app.base.redis_clock import redis_time

WORKERS_KEY = "goodmany:workers"
START_FAILURE_KEY = "goodmany:worker-start-failure"
BEAT_EVERY_S = 5
ALIVE_FOR_S = 20


@dataclass(frozen=True, kw_only=True)
class DeviceMemory:
    """What a worker takes of the memory of its device."""

    device: str
    allocated_bytes: int
    reserved_bytes: int
    total_bytes: int


class LiveWorkers:
    """A sorted set of worker names by the time until which each counts as alive."""

    def __init__(self, connection: redis.Redis):
        self.connection = connection

    def beat(self, name: str) -> None:
        """Says for `ALIVE_FOR_S` that this worker can take a job at once."""
        now = redis_time(self.connection)
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
        return self.connection.zcount(WORKERS_KEY, redis_time(self.connection), "+inf")

    def note_device_memory(self, name: str, memory: DeviceMemory) -> None:
        """Keeps for `ALIVE_FOR_S` what the worker takes of its device's memory."""
        self.connection.set(_memory_key(name), json.dumps(asdict(memory)), ex=ALIVE_FOR_S)

    def device_memory(self) -> dict[str, DeviceMemory | None]:
        """All live workers, by name; None for one without such a device."""
        now = redis_time(self.connection)
        raw = cast(list[bytes], self.connection.zrangebyscore(WORKERS_KEY, now, "+inf"))
        names = [name.decode() for name in raw]
        noted = cast(list[bytes | None], self.connection.mget([_memory_key(n) for n in names]))
        return {name: _read_memory(text) for name, text in zip(names, noted, strict=True)}

    def note_start_failure(self, sentence: str) -> None:
        """Keeps for an hour why a worker could not start, for `/readyz`."""
        self.connection.set(START_FAILURE_KEY, sentence, ex=3600)

    def forget_start_failure(self) -> None:
        """Another attempt may do better."""
        self.connection.delete(START_FAILURE_KEY)

    def start_failure(self) -> str | None:
        """What the last worker said that could not start; None when one has started since."""
        raw = cast(bytes | None, self.connection.get(START_FAILURE_KEY))
        return None if raw is None else raw.decode()


def _read_memory(text: bytes | None) -> DeviceMemory | None:
    """What was noted; None when nothing was, or by a worker of another version."""
    try:
        found = json.loads(text or b"{}")
        return DeviceMemory(**{field.name: found[field.name] for field in fields(DeviceMemory)})
    except (ValueError, KeyError, TypeError):
        return None


def _memory_key(name: str) -> str:
    return f"goodmany:worker:{name}:device-memory"
