"""Entries of a queue that are none of ours, each made as whoever can write to Redis can make it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer


@dataclass(frozen=True)
class Entry:
    """What stands in the list, and the key that it leads to, if any."""

    raw: bytes
    key: str | None = None


@dataclass(frozen=True)
class Forger:
    """Puts entries into a queue that are like a real one but for one thing.

    Args:
        queue: where they go.
        task: what a real entry names.
        job_id: of the real entry.
        args: of the real entry.
        marker: a file that must never come to be.
    """

    queue: Queue
    task: str
    job_id: str
    args: tuple[Any, ...]
    marker: Path

    def real(self) -> Job:
        return self.queue.create_job(self.task, args=self.args, job_id=self.job_id, timeout=30)

    def push(self, entry: bytes) -> Entry:
        self.queue.connection.rpush(self.queue.key, entry)
        return Entry(entry)

    def put(self, fields: dict[str, Any], *, without: str | None = None) -> Entry:
        """The real entry with these fields of its hash, and without that one."""
        job = self.real()
        job.save()
        if fields:
            self.queue.connection.hset(job.key, mapping=fields)
        if without:
            self.queue.connection.hdel(job.key, without)
        self.push(job.id.encode())
        return Entry(job.id.encode(), job.key)

    def calling(self, function: str, *args: object, instance: object = None) -> Entry:
        return self.put({"data": JSONSerializer.dumps([function, instance, list(args), {}])})

    def string_in_place_of_a_hash(self) -> Entry:
        self.queue.connection.set(self.real().key, "no hash")
        self.push(self.job_id.encode())
        return Entry(self.job_id.encode(), self.real().key)


WEBHOOK = b'[{"url": "http://127.0.0.1:9/", "job_status": "finished"}]'
FOREIGN: dict[str, Callable[[Forger], Entry]] = {
    "a function of the system": lambda f: f.calling("os.system", f"touch {f.marker}"),
    "a builtin": lambda f: f.calling("exec", f"open({str(f.marker)!r}, 'w')"),
    "a module that is not imported yet": lambda f: f.calling("antigravity.fly_saucer"),
    "another worker's task": lambda f: f.calling("workers.serve.service.serve", *f.args),
    "a method of a value": lambda f: f.calling("upper", instance="text"),
    "a name that is no text": lambda f: f.put({"data": b'[["os.system"], null, [], {}]'}),
    "a callback": lambda f: f.put({"success_callback_name": "os.system"}),
    "a callback of a failure": lambda f: f.put({"failure_callback_name": "os.system"}),
    "a callback of a stop": lambda f: f.put({"stopped_callback_name": "os.system"}),
    "an address to be told": lambda f: f.put({"webhooks": WEBHOOK}),
    "data of another shape": lambda f: f.put({"data": b'{"func": "os.system"}'}),
    "data that are no JSON": lambda f: f.put({"data": b"\x80\x04cposix\nsystem\n"}),
    "no data": lambda f: f.put({}, without="data"),
    "a status that there is not": lambda f: f.put({"status": "asleep"}),
    "a time-out that is no number": lambda f: f.put({"timeout": "soon"}),
    "a date that is none": lambda f: f.put({"created_at": b"\xff"}),
    "a string in place of a hash": lambda f: f.string_in_place_of_a_hash(),
    "an id without a hash": lambda f: f.push(b"0" * 32),
    "an id that is none": lambda f: f.push(b"../etc/passwd *"),
    "an empty id": lambda f: f.push(b""),
    "bytes that are no text": lambda f: f.push(b"\xff\xfe\x00\r\n"),
}


# They lead to nothing that could be looked at.
WITHOUT_HASH = (
    "an id without a hash",
    "an id that is none",
    "an empty id",
    "bytes that are no text",
)


def is_gone(connection: redis.Redis, queue: Queue, entry: Entry) -> bool:
    """Whether nothing is left of it in the lists of those who wait and who are taken."""
    lists = (queue.key, queue.intermediate_queue_key)
    in_lists = any(connection.lpos(key, entry.raw) is not None for key in lists)
    return not in_lists and not (entry.key and connection.exists(entry.key))
