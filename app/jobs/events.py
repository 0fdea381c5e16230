"""A job's news, from the beginning or from where a client broke off."""

from collections.abc import AsyncIterator
from typing import cast

import anyio
import redis
from pydantic import BaseModel

from app.base.redis_connection import REDIS_AWAY
from app.jobs.keys import events_key, record_key
from app.jobs.model import JobStage, JobState

LOOK_EVERY_S = 0.4


class JobEvent(BaseModel):
    """What changed about a job, as it stands after the change."""

    state: JobState
    stage: JobStage | None
    percent: float
    prompt: str | None
    num_images: int


async def follow_events(
    connection: redis.Redis, job_id: str, last_event_id: str
) -> AsyncIterator[tuple[str, JobEvent] | None]:
    """Every event after `last_event_id` with its id, then each new one until the job is over.

    While Redis is away there is None now and then, and afterwards it goes on where it was.

    Args:
        connection: to Redis.
        job_id: a job that exists.
        last_event_id: "0-0" for all.
    """
    while True:
        try:
            events, over = await anyio.to_thread.run_sync(
                read_events, connection, job_id, last_event_id
            )
        except REDIS_AWAY:
            yield None
            await anyio.sleep(LOOK_EVERY_S)
            continue
        for event_id, event in events:
            last_event_id = event_id
            yield event_id, event
            if event.state.is_over:
                return
        if over:
            return
        await anyio.sleep(LOOK_EVERY_S)


def read_events(
    connection: redis.Redis, job_id: str, last_event_id: str
) -> tuple[list[tuple[str, JobEvent]], bool]:
    """The events after this one with their ids, and whether no other can come."""
    with connection.pipeline() as pipeline:
        pipeline.hget(record_key(job_id), "state")
        pipeline.xrange(events_key(job_id), min=f"({last_event_id}", max="+")
        state, found = pipeline.execute()
    raw = cast(list[tuple[bytes, dict[bytes, bytes]]], found)
    # Of a forgotten job there is nothing.
    over = state is None or JobState(state.decode()).is_over
    return [(event_id.decode(), _event(fields)) for event_id, fields in raw], over


def _event(fields: dict[bytes, bytes]) -> JobEvent:
    text = {name.decode(): value.decode() for name, value in fields.items()}
    return JobEvent(
        state=JobState(text["state"]),
        stage=JobStage(text["stage"]) if text.get("stage") else None,
        percent=float(text["percent"]),
        prompt=text.get("prompt") or None,
        num_images=int(text.get("num_images") or 0),
    )
