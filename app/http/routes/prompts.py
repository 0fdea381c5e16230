"""The HTTP route of the prompt dry run."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.http.known_query import refuse_unknown_query
from app.http.openapi.responses import problems
from app.http.prompt_words import PromptWords
from app.http.services import ServicesDep
from app.http.word_question import find_words
from app.jobs.model import MAX_OBJECT_NAME_CHARS, PlainText
from app.problems import InvalidRequest, NotReady

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
    return await find_words(object_name, services.store.connection)
