"""What became of a job's webhook, try by try.

goodmany:job:{id}:deliveries   list of deliveries as JSON, the first try first
"""

from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from typing import Annotated, cast

import redis
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from redis.client import Pipeline

from app.observability.shared_metrics import SharedCounter

MAX_DELIVERIES = 100


class DeliveryOutcome(StrEnum):
    """How one try ended. Only after `failed` there may be another."""

    delivered = "delivered"
    failed = "failed"
    gone = "gone"
    refused = "refused"


DELIVERIES = SharedCounter(
    "goodmany_webhook_deliveries",
    "Tries to tell a callback of a job's end.",
    ("outcome",),
    from_zero=tuple((outcome,) for outcome in DeliveryOutcome),
)


class Delivery(BaseModel):
    """One try to tell a job's end to its callback."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "attempt": 1,
                "event": "job.succeeded",
                "at": "2026-03-02T09:30:00Z",
                "outcome": "failed",
                "status_code": 503,
                "error": None,
                "next_try_at": "2026-03-02T09:30:05Z",
            }
        },
    )

    attempt: Annotated[int, Field(ge=1)]
    event: Annotated[str, Field(description="job.succeeded, job.failed or job.canceled.")]
    at: datetime
    outcome: Annotated[
        DeliveryOutcome,
        # Another version may know more words.
        BeforeValidator(lambda word: word if word in set(DeliveryOutcome) else "failed"),
        Field(
            description="`delivered`: answered with 2xx. `failed`: anything else. `gone`: answered "
            "with 410, so not tried again. `refused`: the address is private."
        ),
    ]
    status_code: Annotated[int | None, Field(description="Null when there was no answer.")] = None
    error: Annotated[str | None, Field(description="Why there was no answer.")] = None
    next_try_at: Annotated[datetime | None, Field(description="Null after the last try.")] = None


class DeliveryList(BaseModel):
    """All tries so far, the first one first."""

    items: list[Delivery]


class DeliveryLog:
    """The tries of all jobs, each job's apart."""

    def __init__(self, connection: redis.Redis):
        self.connection = connection

    def has_tried(self, job_id: str, attempt: int) -> bool:
        """Whether this try is noted already."""
        return any(delivery.attempt >= attempt for delivery in self.read(job_id))

    def read(self, job_id: str) -> list[Delivery]:
        """The tries of one job, the first one first; without those of which nothing is known."""
        raw = cast(list[bytes], self.connection.lrange(deliveries_key(job_id), 0, -1))
        found = []
        for line in raw:
            with suppress(ValidationError):
                found.append(Delivery.model_validate_json(line))
        return found

    def append(self, job_id: str, delivery: Delivery, pipeline: Pipeline) -> None:
        """Notes one try more as a part of the pipeline; the oldest give way beyond the bound."""
        pipeline.rpush(deliveries_key(job_id), delivery.model_dump_json())
        pipeline.ltrim(deliveries_key(job_id), -MAX_DELIVERIES, -1)
        DELIVERIES.count(pipeline, delivery.outcome)


def deliveries_key(job_id: str) -> str:
    """Where Redis keeps the tries of a job."""
    return f"goodmany:job:{job_id}:deliveries"
