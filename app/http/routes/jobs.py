"""The jobs' HTTP routes: accept, report, cancel, remove."""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends, Form, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.http.acceptance import accept_job
from app.http.job_form import JobForm, refuse_repeated_fields
from app.http.known_query import refuse_unknown_query
from app.http.openapi.responses import RETRY_AFTER, answer, header, links, problems
from app.http.problem_responses import NothingMoreError
from app.http.services import OwnerDep, PrefixDep, Services, ServicesDep
from app.http.upload_problems import UPLOAD_PROBLEMS
from app.http.word_question import check_sense
from app.jobs.events import JobEvent, follow_events, read_events
from app.jobs.model import MAX_OBJECT_NAME_CHARS, Job, JobList, JobState
from app.jobs.news import Waiting
from app.jobs.store import JobFilter
from app.problems import (
    IdempotencyKeyReused,
    InvalidRequest,
    JobAlreadyOver,
    JobExpired,
    JobNotFinished,
    JobNotFound,
    NotReady,
    StorageUnavailable,
    TooManyJobs,
)
from app.retention.sweep import remove_files

log = logging.getLogger("goodmany.api")

MAX_WAIT_S = 60
WAIT = re.compile(r"\bwait=(\d{1,4})\b", re.ASCII)
POLL_EVERY_S = "1"
RECONNECT_AFTER_MS = 2000
LOCATION = header("The address of the job", {"type": "string", "format": "uri-reference"})
PREFERENCE_APPLIED = header("What of `Prefer` was heard", {"type": "string"})
EVENTS_OVER = answer(204, description="The job is over, and no event comes after `Last-Event-ID`")
NEXT_PAGE = {"operationId": "list_jobs", "parameters": {"cursor": "$response.body#/next_cursor"}}

router = APIRouter(
    prefix="/v1/jobs",
    tags=["jobs"],
    responses=problems(NotReady, InvalidRequest),
    dependencies=[Depends(refuse_unknown_query)],
)


@router.post(
    "",
    operation_id="create_job",
    summary="Submit good images, get a job",
    status_code=202,
    dependencies=[Depends(refuse_repeated_fields)],
    response_description="The job is queued; poll the address in `Location`",
    responses=answer(
        202,
        headers={"Location": LOCATION, "Retry-After": RETRY_AFTER},
        links=links("get_job", "get_job_events", "cancel_job", "get_archive", "delete_job"),
    )
    | problems(*UPLOAD_PROBLEMS, TooManyJobs, IdempotencyKeyReused),
)
async def create_job(
    form: Annotated[JobForm, Form(media_type="multipart/form-data")],
    *,
    services: ServicesDep,
    owner: OwnerDep,
    prefix: PrefixDep,
    response: Response,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=255,
            description="The same key with the same request gives the same job, for a day.",
        ),
    ] = None,
) -> Job:
    """Checks everything now, so that what is accepted can be worked on."""
    request = form.request
    await check_sense(request.sense, request.object_name, services.store.connection)
    job = await anyio.to_thread.run_sync(
        accept_job,
        form,
        services,
        owner,
        idempotency_key,
        limiter=services.accepting,
    )
    job = job.below(prefix)
    response.headers["Location"] = job.links.self
    response.headers["Retry-After"] = POLL_EVERY_S
    return job


@router.get(
    "",
    operation_id="list_jobs",
    summary="The jobs, the newest first",
    responses=answer(
        200, links={"next": NEXT_PAGE} | links("get_job", job_id="$response.body#/items/0/id")
    )
    | problems(InvalidRequest),
)
async def list_jobs(
    *,
    services: ServicesDep,
    owner: OwnerDep,
    prefix: PrefixDep,
    cursor: Annotated[
        str | None,
        Query(pattern="^[0-9a-f]{32}$", description="`next_cursor` of the page before."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    state: Annotated[
        list[JobState], Query(description="Only jobs in this state; may be repeated.")
    ] = [],  # noqa: B006, FastAPI copies it
    object_name: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=MAX_OBJECT_NAME_CHARS,
            description="Only jobs of this very name, in capitals or not.",
        ),
    ] = None,
) -> JobList:
    """One page; a later page never repeats or skips a job when new ones come in.

    With a filter a page may be short, or empty, before the last one: `next_cursor` says whether
    there is more.
    """
    wanted = JobFilter(frozenset(state), object_name)
    page = await run_in_threadpool(services.store.page, cursor, limit, owner, wanted)
    items = [job.below(prefix) for job in page.items]
    return JobList(items=items, next_cursor=page.next_cursor)


@router.get(
    "/{job_id}",
    operation_id="get_job",
    summary="How the job stands",
    responses=answer(
        200,
        headers={"Retry-After": RETRY_AFTER, "Preference-Applied": PREFERENCE_APPLIED},
        links=links("get_archive", "get_preview", "get_variance", "delete_job"),
    )
    | problems(JobNotFound),
)
async def get_job(
    job_id: str,
    *,
    services: ServicesDep,
    owner: OwnerDep,
    prefix: PrefixDep,
    request: Request,
    response: Response,
    prefer: Annotated[
        str, Header(description="`wait=30`: answer when the job is over, at the latest after 30 s.")
    ] = "",
) -> Job:
    """State, stage, percent, the chosen prompt, counts, and the problem if it failed."""
    job = await run_in_threadpool(services.store.get, job_id, owner)
    if asked := WAIT.search(prefer):
        wait_s = min(int(asked[1]), MAX_WAIT_S)
        response.headers["Preference-Applied"] = f"wait={wait_s}"
        if wait_s and not job.state.is_over:
            await _wait_until_over(request, services, job_id, wait_s)
            job = await run_in_threadpool(services.store.get, job_id, owner)
    if not job.state.is_over:
        response.headers["Retry-After"] = POLL_EVERY_S
    return job.below(prefix)


@router.post(
    "/{job_id}/cancel",
    operation_id="cancel_job",
    summary="Stop the job",
    status_code=202,
    response_description="The job is canceled; its worker stops at its next step",
    responses=answer(202, links=links("get_job", "delete_job"))
    | problems(JobNotFound, JobAlreadyOver, JobExpired),
)
def cancel_job(job_id: str, services: ServicesDep, owner: OwnerDep, prefix: PrefixDep) -> Job:
    """After a 202 the job is canceled for certain; after a 409 it had ended before."""
    return services.store.cancel(job_id, owner).below(prefix)


@router.delete(
    "/{job_id}",
    operation_id="delete_job",
    summary="Remove the job's files",
    status_code=204,
    response_description="The files are gone; the job counts as expired",
    responses=problems(JobNotFound, JobNotFinished, NotReady, StorageUnavailable),
)
def delete_job(job_id: str, services: ServicesDep, owner: OwnerDep) -> None:
    """Only a job that is over; cancel it first. Deleting twice does no harm."""
    state = services.store.get(job_id, owner).state
    if not state.is_over:
        raise JobNotFinished(f"Job {job_id} is {state}; cancel it first.")
    remove_files(services.store, services.storage, job_id)


def find_last_event(
    job_id: str,
    services: ServicesDep,
    owner: OwnerDep,
    response: Response,
    last_event_id: Annotated[str, Header(pattern="^[0-9]{1,19}(-[0-9]{1,19})?$")] = "0-0",
) -> str:
    """Where a client broke off; what is wrong is found before the stream begins.

    Raises:
        JobNotFound: no job of this owner has this id.
        NothingMoreError: the client has every event.
    """
    services.store.get(job_id, owner)
    if read_events(services.store.connection, job_id, last_event_id) == ([], True):
        raise NothingMoreError
    response.headers["Cache-Control"] = "no-store"
    return last_event_id


async def take_place(job_id: str, services: ServicesDep) -> AsyncIterator[Waiting]:
    """A place among those who hear of the job, free again as soon as the answer ends.

    A stream that breaks off while it is sent is only let go; it cannot be what frees the place.
    """
    with services.news.waiting_for(job_id) as waiting:
        yield waiting


@router.get(
    "/{job_id}/events",
    operation_id="get_job_events",
    summary="The job's news as they happen",
    response_class=EventSourceResponse,
    response_description="Server-sent events named `job`; the `data` of each is a `JobEvent`",
    responses=EVENTS_OVER | problems(JobNotFound, InvalidRequest),
)
async def get_job_events(
    job_id: str,
    services: ServicesDep,
    last_event_id: Annotated[str, Depends(find_last_event)],
    waiting: Annotated[Waiting, Depends(take_place)],
) -> AsyncIterator[JobEvent]:
    """All events so far and then the new ones; ends with the job. `Last-Event-ID` resumes."""
    # What is yielded wraps the `JobEvent` that the document names.
    yield ServerSentEvent(retry=RECONNECT_AFTER_MS)  # type: ignore[misc]
    async for found in follow_events(services.store.connection, waiting, job_id, last_event_id):
        if found is None:
            # A client that had to come again now would get a 503 and, by its standard, give up.
            yield ServerSentEvent(comment="Redis is away")  # type: ignore[misc]
        else:
            event_id, event = found
            yield ServerSentEvent(id=event_id, event="job", data=event)  # type: ignore[misc]


async def _wait_until_over(request: Request, services: Services, job_id: str, wait_s: int) -> None:
    """Returns when the job is over or forgotten, after the time, or as soon as nobody waits."""
    give_up = time.monotonic() + wait_s
    with services.news.waiting_for(job_id, for_end=True) as waiting:
        leaving = asyncio.create_task(_note_leaving(request, waiting))
        try:
            while not waiting.is_stopped and time.monotonic() < give_up:
                state = await run_in_threadpool(services.store.state, job_id)
                if state is None or state.is_over:
                    return
                await waiting.next(give_up - time.monotonic())
        finally:
            leaving.cancel()


async def _note_leaving(request: Request, waiting: Waiting) -> None:
    """Ends the wait when the client has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    waiting.stop()
