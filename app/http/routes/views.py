"""The HTTP route of the dry run of views. The viewer makes them; the API waits for them."""

import time
from dataclasses import dataclass
from functools import partial
from typing import Annotated, cast

import anyio
from fastapi import APIRouter, Depends, Form
from fastapi.concurrency import run_in_threadpool
from rq import Queue
from rq.job import Job as QueuedJob
from rq.results import Result
from rq.serializers import JSONSerializer
from rq.worker_registration import get_keys

from app.base.transactions import execute_once
from app.http.acceptance import discard_files, store_images
from app.http.job_form import refuse_repeated_fields
from app.http.known_query import refuse_unknown_query
from app.http.openapi.responses import problems
from app.http.services import Services, ServicesDep
from app.http.upload_problems import UPLOAD_PROBLEMS
from app.http.view_families import ViewFamilies
from app.http.views_form import ViewsForm
from app.jobs.admission.full_disk import refuse_on_full_disk
from app.jobs.inputs import InputImage, understand
from app.jobs.model import new_job_id
from app.jobs.queues.enqueue import SHOW_VIEWS, VIEWS_QUEUE
from app.problems import (
    NotReady,
)

ANSWER_WITHIN_S = 60
LOOK_EVERY_S = 0.1
# Questions that wait for the viewer; whoever comes then is told at once to come again.
MAX_WAITING = 8
COME_AGAIN = {"Retry-After": "5"}

router = APIRouter(prefix="/v1/views", tags=["views"], dependencies=[Depends(refuse_unknown_query)])


@router.post(
    "",
    operation_id="show_views",
    summary="Which views of good images are still good parts, without a job",
    dependencies=[Depends(refuse_repeated_fields)],
    responses=problems(*UPLOAD_PROBLEMS),
)
async def show_views(
    form: Annotated[ViewsForm, Form(media_type="multipart/form-data")], services: ServicesDep
) -> ViewFamilies:
    """Send the families that are good parts as a job's `invariances`: it makes exactly those."""
    queue = Queue(VIEWS_QUEUE, connection=services.store.connection, serializer=JSONSerializer)
    question_id = await run_in_threadpool(_begin, services, queue)
    try:
        ask = partial(_ask, form, services, queue, question_id)
        asked = await anyio.to_thread.run_sync(ask, limiter=services.accepting)
        families = await _answer(asked.job, queue)
    finally:
        # The viewer may still be at it; what it has not read is gone then.
        with anyio.CancelScope(shield=True):
            await run_in_threadpool(discard_files, services, question_id)
    return ViewFamilies.model_validate({"inputs": asked.inputs, "families": families})


@dataclass(frozen=True)
class _Asked:
    """A question that waits, and what was understood of its images."""

    job: QueuedJob
    inputs: list[InputImage]


def _begin(services: Services, queue: Queue) -> str:
    """A name for the question's files, like a job's, if an answer can be hoped for.

    Raises:
        NotReady: there is no viewer, or too many wait for it.
    """
    if not get_keys(queue):
        raise NotReady("No viewer is running.", headers=COME_AGAIN)
    if queue.count >= MAX_WAITING:
        raise NotReady("The viewer has too many questions; ask again.", headers=COME_AGAIN)
    return new_job_id(services.store.now().timestamp())


def _ask(
    form: ViewsForm,
    services: Services,
    queue: Queue,
    question_id: str,
) -> _Asked:
    """Stores the images, as a job's, and queues the question.

    Raises:
        Problem: why there will be no answer.
    """
    refuse_on_full_disk(services.store.connection)
    services.instance.note_use()
    stored = store_images(form, question_id, services)
    inputs = understand(stored.facts, form.bit_depth, stored.names)
    question = queue.create_job(
        SHOW_VIEWS,
        args=(question_id, [image.bit_depth for image in inputs], form.image_size),
        timeout=ANSWER_WITHIN_S,
        ttl=ANSWER_WITHIN_S,
        result_ttl=ANSWER_WITHIN_S,
        failure_ttl=ANSWER_WITHIN_S,
    )
    execute_once(queue.connection, partial(queue.enqueue_job, question))
    return _Asked(question, inputs)


async def _answer(question: QueuedJob, queue: Queue) -> list[object]:
    """The families, when the viewer has them.

    Raises:
        NotReady: it has none, or not in time.
    """
    give_up = time.monotonic() + ANSWER_WITHIN_S
    try:
        while time.monotonic() < give_up:
            result = await run_in_threadpool(question.latest_result)
            if result is not None and result.type == Result.Type.SUCCESSFUL:
                # The pictures are large, and nobody asks for them again.
                await run_in_threadpool(question.delete)
                families = cast(list[object], result.return_value)
                return families
            if result is not None:
                raise NotReady("The viewer has failed; its log says why.", headers=COME_AGAIN)
            await anyio.sleep(LOOK_EVERY_S)
        raise NotReady("The viewer has not answered in time.", headers=COME_AGAIN)
    finally:
        with anyio.CancelScope(shield=True):
            await run_in_threadpool(queue.remove, question)
