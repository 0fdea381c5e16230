"""The form that a job is submitted with, and its limits: a hostile one must cost little memory."""

from typing import Annotated

from fastapi import Request, UploadFile
from pydantic import BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from starlette.datastructures import UploadFile as ParsedFile

from app.jobs.model import JobRequest
from app.problems import InvalidRequest

MAX_FIELDS = 64
MAX_FIELD_BYTES = 64 * 1024
SINGLE_FIELDS = JobRequest.model_fields.keys() - {"invariances"}


def check_file(part: object) -> object:
    """The part of the form, which must be a file: one with a file name.

    Raises:
        PydanticCustomError: it counts as text.
    """
    if not isinstance(part, ParsedFile):
        raise PydanticCustomError("no_file", "must be sent as a file, with a file name")
    return part


class JobForm(JobRequest):
    """The request with its images, as a form."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    images: Annotated[
        list[Annotated[UploadFile, BeforeValidator(check_file)]],
        Field(description="1 to 50 good images: PNG, JPEG, BMP, TIFF or WebP, 8 or 16 bit."),
    ]


async def refuse_repeated_fields(request: Request) -> None:
    """A dependency: which of two values is meant is not ours to guess.

    Raises:
        InvalidRequest: a field that has one value came several times.
    """
    form = await request.form()
    repeated = sorted(name for name in SINGLE_FIELDS if len(form.getlist(name)) > 1)
    if repeated:
        raise InvalidRequest(
            f"Sent more than once: {', '.join(repeated)}.",
            errors=[
                {"field": name, "code": "repeated", "detail": "May be sent once."}
                for name in repeated
            ],
        )
