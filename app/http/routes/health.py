"""Whether the process lives and whether the service can do its work."""

import contextlib
from typing import Annotated, Literal

import redis.exceptions
from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.base.redis_connection import redis_fault
from app.http.openapi.responses import problems
from app.http.services import Services, ServicesDep
from app.jobs.admission.full_disk import refuse_on_full_disk
from app.jobs.model import FieldFault
from app.problems import NotReady, StorageUnavailable

PROBE_KEY = "goodmany:probe"
PROBE_TTL_S = 60

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """A good answer; a bad one is a problem."""

    status: Literal["ok"] = "ok"


class Readiness(Health):
    """A good answer that may hold what somebody should look at."""

    warnings: Annotated[
        list[FieldFault], Field(description="What does not stop any job, but is not as it should.")
    ] = []


@router.get("/livez", operation_id="get_liveness", summary="The process lives")
def get_liveness() -> Health:
    """Says only that the API answers."""
    return Health()


@router.get(
    "/readyz",
    operation_id="get_readiness",
    summary="Jobs can be taken and worked on",
    responses=problems(NotReady),
)
def get_readiness(services: ServicesDep) -> Readiness:
    """Redis and the storage can be written to, and a worker lives with its models loaded."""
    faults = [
        {"field": name, "detail": fault}
        for name, fault in (
            ("redis", _redis_fault(services)),
            ("storage", _storage_fault(services)),
            ("worker", _worker_fault(services)),
        )
        if fault is not None
    ]
    if faults:
        raise NotReady(
            " ".join(fault["detail"] for fault in faults),
            errors=faults,
            headers={"Retry-After": "5"},
        )
    conflict = services.instance.conflict()
    warnings = [FieldFault(field="storage", code="foreign_storage", detail=conflict or "")]
    return Readiness(warnings=warnings if conflict else [])


def _redis_fault(services: Services) -> str | None:
    try:
        # A replica answers to a PING, and so does a Redis without memory.
        services.store.connection.set(PROBE_KEY, 1, ex=PROBE_TTL_S)
    except redis.exceptions.RedisError as error:
        return redis_fault(error) or "Redis does not work."
    return None


def _storage_fault(services: Services) -> str | None:
    try:
        # That Redis is away is told already.
        with contextlib.suppress(redis.exceptions.RedisError):
            refuse_on_full_disk(services.store.connection)
        services.storage.check()
    except StorageUnavailable as problem:
        return problem.detail
    return None


def _worker_fault(services: Services) -> str | None:
    try:
        if services.workers.count():
            return None
        failure = services.workers.start_failure()
    except redis.exceptions.RedisError:
        return "Workers are not known without Redis."
    return f"No worker could start: {failure}" if failure else "No worker has its models loaded."
