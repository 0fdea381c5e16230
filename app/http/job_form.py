"""The form that a job is submitted with."""

from typing import Annotated

from fastapi import UploadFile
from pydantic import BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from starlette.datastructures import UploadFile as ParsedFile

from app.jobs import JobRequest


def check_file(part: object) -> object:
    """The part of the form, which must be a file: one with a file name.

    Raises:
        PydanticCustomError: it counts as text.
    """
    if not isinstance(part, ParsedFile):
        raise PydanticCustomError("no_file", "must be sent as a file, with a file name")
    return part


class JobForm(JobRequest):
    """The wish with its images, as a form."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    images: Annotated[
        list[Annotated[UploadFile, BeforeValidator(check_file)]],
        Field(description="1 to 50 good images: PNG, JPEG, BMP, TIFF or WebP, 8 or 16 bit."),
    ]
