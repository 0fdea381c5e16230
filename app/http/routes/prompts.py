"""The HTTP route of the prompt dry run. The courier knows the words; the API waits for them."""

import time
from functools import partial
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends, Query
from fastapi.concurrency import run_in_threadpool
from rq import Queue
from rq.job import Job as QueuedJob
from rq.serializers import JSONSerializer

from app.base.transactions import execute_once
from app.http.known_query import refuse_unknown_query
from app.http.openapi.responses import problems
from app.http.prompt_words import PromptWords
from app.http.services import ServicesDep
from app.jobs.model import MAX_OBJECT_NAME_CHARS, PlainText
from app.jobs.queues.enqueue import FIND_WORDS, WORDS_QUEUE
from app.problems import InvalidRequest, NotReady

ANSWER_WITHIN_S = 5
LOOK_EVERY_S = 0.05

router = APIRouter(
    prefix="/v1/prompts", tags=["prompts"], dependencies=[Depends(refuse_unknown_query)]
)


@router.get(
    "",
    operation_id="get_prompt_words",
    summary="Words and candidate prompts of an object's name, without images",
    responses=problems(InvalidRequest, NotReady),
)
async def get_prompt_words(
    object_name: Annotated[
        PlainText,
        Query(
            min_length=1,
            max_length=MAX_OBJECT_NAME_CHARS,
            description="What the images will show, in plain words.",
            examples=["metal nut"],
        ),
    ],
    services: ServicesDep,
) -> PromptWords:
    """A job chooses one of these by its images, or takes the `prompt` that it is given."""
    queue = Queue(WORDS_QUEUE, connection=services.store.connection, serializer=JSONSerializer)
    asked = await run_in_threadpool(_ask, queue, object_name)
    give_up = time.monotonic() + ANSWER_WITHIN_S
    while time.monotonic() < give_up:
        result = await run_in_threadpool(asked.latest_result)
        if result is not None and result.return_value is not None:
            return PromptWords.model_validate(result.return_value)
        await anyio.sleep(LOOK_EVERY_S)
    await run_in_threadpool(queue.remove, asked)
    raise NotReady("No courier has answered; is one running?", headers={"Retry-After": "5"})


def _ask(queue: Queue, object_name: str) -> QueuedJob:
    question = queue.create_job(
        FIND_WORDS,
        args=(object_name,),
        timeout=ANSWER_WITHIN_S,
        ttl=ANSWER_WITHIN_S,
        result_ttl=2 * ANSWER_WITHIN_S,
        failure_ttl=2 * ANSWER_WITHIN_S,
    )
    execute_once(queue.connection, partial(queue.enqueue_job, question))
    return question
