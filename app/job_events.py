"""A job's news as server-sent events, from the beginning or from where a client broke off.

Source: HTML Living Standard, section 9.2 (server-sent events).
"""

import json
import time
from collections.abc import AsyncIterator
from typing import cast

import anyio
import redis
from fastapi.concurrency import run_in_threadpool

from app.job_keys import events_key
from app.jobs import JobState
from app.redis_connection import REDIS_AWAY

LOOK_EVERY_S = 0.4
KEEP_ALIVE_S = 15.0
RECONNECT_AFTER_MS = 2000


async def stream_events(
    connection: redis.Redis, job_id: str, last_event_id: str
) -> AsyncIterator[str]:
    """Every event after `last_event_id`, and then each new one until the job is over.

    While Redis is away, the stream stays open and goes on afterwards where it was.

    Args:
        connection: to Redis.
        job_id: a job that exists.
        last_event_id: as the client got it; "0-0" for all.
    """
    yield f"retry: {RECONNECT_AFTER_MS}\n\n"
    silent_since = time.monotonic()
    while True:
        try:
            events = await run_in_threadpool(_read_after, connection, job_id, last_event_id)
        except REDIS_AWAY:
            # A client that had to come again now would get a 503 and, by its standard, give up.
            yield ": Redis is away\n\n"
            await anyio.sleep(LOOK_EVERY_S)
            continue
        if events is None:
            return
        for event_id, fields in events:
            last_event_id = event_id
            yield f"id: {event_id}\nevent: job\ndata: {json.dumps(fields)}\n\n"
            if JobState(str(fields["state"])).is_over:
                return
        if events:
            silent_since = time.monotonic()
        elif time.monotonic() - silent_since > KEEP_ALIVE_S:
            yield ": still here\n\n"
            silent_since = time.monotonic()
        await anyio.sleep(LOOK_EVERY_S)


def _read_after(
    connection: redis.Redis, job_id: str, last_event_id: str
) -> list[tuple[str, dict[str, object]]] | None:
    """The events after this one; None when the job has been forgotten."""
    with connection.pipeline() as pipeline:
        pipeline.exists(events_key(job_id))
        pipeline.xrange(events_key(job_id), min=f"({last_event_id}", max="+")
        exists, found = pipeline.execute()
    if not exists:
        return None
    raw = cast(list[tuple[bytes, dict[bytes, bytes]]], found)
    return [(event_id.decode(), _event(fields)) for event_id, fields in raw]


def _event(fields: dict[bytes, bytes]) -> dict[str, object]:
    text = {name.decode(): value.decode() for name, value in fields.items()}
    return {
        "state": text["state"],
        "stage": text.get("stage") or None,
        "percent": float(text["percent"]),
        "prompt": text.get("prompt") or None,
        "num_images": int(text.get("num_images") or 0),
    }
