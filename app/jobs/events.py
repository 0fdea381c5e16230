"""A job's news as server-sent events, from the beginning or from where a client broke off.

Source: HTML Living Standard, section 9.2 (server-sent events).
"""

import time
from collections.abc import AsyncIterator
from typing import Any, cast

import anyio
import redis
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from app.base.redis_connection import REDIS_AWAY
from app.jobs.keys import events_key, record_key
from app.jobs.model import JobStage, JobState
from app.jobs.record import read_number, read_state, read_word

LOOK_EVERY_S = 0.4
KEEP_ALIVE_S = 15.0
RECONNECT_AFTER_MS = 2000

EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events; the `data` of each is a `JobEvent`",
        # OpenAPI 3.1 has no word for what the events of a stream are.
        "content": {"text/event-stream": {}},
    },
    204: {"description": "The job is over, and no event comes after `Last-Event-ID`"},
}


class JobEvent(BaseModel):
    """What changed about a job, as it stands after the change."""

    state: JobState
    stage: JobStage | None
    percent: float
    prompt: str | None
    num_images: int


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
            events, over = await run_in_threadpool(read_events, connection, job_id, last_event_id)
        except REDIS_AWAY:
            # A client that had to come again now would get a 503 and, by its standard, give up.
            yield ": Redis is away\n\n"
            await anyio.sleep(LOOK_EVERY_S)
            continue
        for event_id, event in events:
            last_event_id = event_id
            yield f"id: {event_id}\nevent: job\ndata: {event.model_dump_json()}\n\n"
            if event.state.is_over:
                return
        if over:
            return
        if events:
            silent_since = time.monotonic()
        elif time.monotonic() - silent_since > KEEP_ALIVE_S:
            yield ": still here\n\n"
            silent_since = time.monotonic()
        await anyio.sleep(LOOK_EVERY_S)


def read_events(
    connection: redis.Redis, job_id: str, last_event_id: str
) -> tuple[list[tuple[str, JobEvent]], bool]:
    """The events after this one with their ids, and whether no other can come."""
    with connection.pipeline() as pipeline:
        pipeline.exists(record_key(job_id))
        pipeline.hmget(record_key(job_id), ["state", "ended_at"])
        pipeline.xrange(events_key(job_id), min=f"({last_event_id}", max="+")
        exists, standing, found = pipeline.execute()
    state = read_state(*((value or b"").decode() for value in standing)) if exists else None
    raw = cast(list[tuple[bytes, dict[bytes, bytes]]], found)
    # Of a forgotten job there is nothing.
    over = state is None or state.is_over
    return [(event_id.decode(), _event(fields)) for event_id, fields in raw], over


def _event(fields: dict[bytes, bytes]) -> JobEvent:
    text = {name.decode(): value.decode() for name, value in fields.items()}
    return JobEvent(
        state=read_state(text.get("state"), None),
        stage=read_word(JobStage, text.get("stage")),
        percent=read_number(text.get("percent")),
        prompt=text.get("prompt") or None,
        num_images=int(read_number(text.get("num_images"))),
    )
