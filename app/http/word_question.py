"""The words around an object's name. The courier knows them; the API waits for them."""

import time
from functools import partial

import anyio
from fastapi.concurrency import run_in_threadpool
from redis import Redis
from rq import Queue
from rq.job import Job as QueuedJob
from rq.serializers import JSONSerializer

from app.base.transactions import execute_once
from app.http.prompt_words import PromptWords
from app.jobs.queues.enqueue import FIND_WORDS, WORDS_QUEUE
from app.problems import InvalidRequest, NotReady

ANSWER_WITHIN_S = 5
LOOK_EVERY_S = 0.05
MAX_GLOSS_CHARS = 60


async def find_words(object_name: str, connection: Redis) -> PromptWords:
    """What the prompt generator makes of the name.

    Raises:
        NotReady: no courier has answered.
    """
    queue = Queue(WORDS_QUEUE, connection=connection, serializer=JSONSerializer)
    asked = await run_in_threadpool(_ask, queue, object_name)
    give_up = time.monotonic() + ANSWER_WITHIN_S
    while time.monotonic() < give_up:
        result = await run_in_threadpool(asked.latest_result)
        if result is not None and result.return_value is not None:
            return PromptWords.model_validate(result.return_value)
        await anyio.sleep(LOOK_EVERY_S)
    await run_in_threadpool(queue.remove, asked)
    raise NotReady("No courier has answered; is one running?", headers={"Retry-After": "5"})


async def check_sense(sense: str | None, object_name: str, connection: Redis) -> None:
    """Lets pass a meaning that the name has, and none that was not asked for.

    Raises:
        InvalidRequest: the name has other meanings, which are listed, or is not known.
        NotReady: no courier has answered.
    """
    if sense is None:
        return
    found = (await find_words(object_name, connection)).senses
    known = {one.name: one.gloss or "" for one in found if one.name is not None}
    if sense not in known:
        listed = "; ".join(f"{name} ({_shorten(gloss)})" for name, gloss in known.items())
        detail = (
            f"{object_name!r} has no meaning {sense!r}; it has: {listed}."
            if known
            else f"{object_name!r} is not in the dictionary: there is no meaning to choose."
        )
        error = {"field": "sense", "code": "unknown_sense", "detail": detail}
        raise InvalidRequest(f"Not valid: sense. {detail}", errors=[error])


def _shorten(gloss: str) -> str:
    return gloss if len(gloss) <= MAX_GLOSS_CHARS else f"{gloss[:MAX_GLOSS_CHARS].rstrip()} ..."


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
