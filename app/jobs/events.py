"""A job's news, from the beginning or from where a client broke off."""

from collections.abc import AsyncIterator
from typing import cast

import anyio
import redis
from pydantic import BaseModel

from app.base.redis_connection import REDIS_AWAY
from app.jobs.keys import events_key, record_key
from app.jobs.model import JobStage, JobState
from app.jobs.news import Waiting
from app.jobs.record import read_number, read_state, read_word

LOOK_AGAIN_S = 1.0


class JobEvent(BaseModel):
    """What changed about a job, as it stands after the change."""

    state: JobState
    stage: JobStage | None
    percent: float
    prompt: str | None
    num_images: int


async def follow_events(
    connection: redis.Redis, waiting: Waiting, job_id: str, last_event_id: str
) -> AsyncIterator[tuple[str, JobEvent] | None]:
    """Every event after `last_event_id` with its id, then each new one until the job is over.

    It ends early when the server ends. While Redis is away there is None now and then, and
    afterwards it goes on where it was.

    Args:
        connection: to Redis.
        waiting: hears of the job.
        job_id: a job that exists.
        last_event_id: "0-0" for all.
    """
    while not waiting.is_stopped:
        try:
            events, over = await anyio.to_thread.run_sync(
                read_events, connection, job_id, last_event_id
            )
        except REDIS_AWAY:
            yield None
            await waiting.next(LOOK_AGAIN_S)
            continue
        for event_id, event in events:
            last_event_id = event_id
            yield event_id, event
            if event.state.is_over:
                return
        if over:
            return
        await waiting.next()


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
