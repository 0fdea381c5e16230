"""Forms with images, such as a job's, and their limits: a hostile one must cost little memory."""

from typing import Annotated, Any

from fastapi import Request, UploadFile
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from starlette.datastructures import UploadFile as ParsedFile

from app.jobs.inputs import MIN_HELD_OUT
from app.jobs.model import JobRequest
from app.problems import InvalidRequest

MAX_FIELDS = 64
# A blank list is a missing one.
NO_VIEWS = "none"
# The code of the one fault that is told before all others.
NO_IMAGES = "no_images"
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


Files = list[Annotated[UploadFile, BeforeValidator(check_file)]]
FILE_FIELDS = ("images", "held_out_images")


class ImagesForm(BaseModel):
    """A form that images are uploaded with."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    images: Annotated[
        Files,
        Field(
            default_factory=list,
            description="1 to 50 good images: PNG, JPEG, BMP, TIFF or WebP, 8 or 16 bit; also a "
            "ZIP of such images. Needed unless there is an `images_url`.",
        ),
    ]

    @model_validator(mode="before")
    @classmethod
    def _as_browsers_send_it(cls, fields: Any) -> Any:
        """A form on a page sends every field: what is blank was left open."""
        if not isinstance(fields, dict):
            return fields
        known = {name: value for name, value in fields.items() if name in cls.model_fields}
        if isinstance(known.get("invariances"), list):
            known["invariances"] = split_lists(known["invariances"])
        for name in FILE_FIELDS:
            if isinstance(known.get(name), list):
                known[name] = [part for part in known[name] if not is_blank(part)]
        given = {name: value for name, value in known.items() if not is_blank(value)}
        if known.get("invariances") == [NO_VIEWS]:
            given["invariances"] = []
        if not given.keys() & {"images", "images_url"}:
            raise PydanticCustomError(NO_IMAGES, "Send 1 or more files in the field `images`.")
        return {name: value for name, value in fields.items() if name not in known} | given


class JobForm(ImagesForm, JobRequest):
    """The request with its images, as a form."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    held_out_images: Annotated[
        Files,
        Field(
            default_factory=list,
            description=f"At least {MIN_HELD_OUT} other good images, or a ZIP of them, of which "
            "nothing is made: the set is judged by them.",
        ),
    ]

    @property
    def request(self) -> JobRequest:
        """The form without its files."""
        return JobRequest.model_validate(self.model_dump(exclude=set(FILE_FIELDS)))


def split_lists(values: list[Any]) -> list[Any]:
    """The values, those that stand in one field with commas between them one by one."""
    texts = [value for value in values if isinstance(value, str)]
    split = [part.strip() for text in texts for part in text.split(",")]
    others = [value for value in values if not isinstance(value, str)]
    return [part for part in split if part] + others


def is_blank(value: object) -> bool:
    """Whether a field was sent without content."""
    return value == [] or (isinstance(value, str) and not value.strip())


async def refuse_repeated_fields(request: Request) -> None:
    """A dependency: which of two values is meant is not ours to guess.

    Raises:
        InvalidRequest: a field that has one value came several times.
    """
    form = await request.form()
    given = {
        name: [value for value in form.getlist(name) if not is_blank(value)]
        for name in SINGLE_FIELDS
    }
    repeated = sorted(name for name, values in given.items() if len(values) > 1)
    if repeated:
        raise InvalidRequest(
            f"Sent more than once: {', '.join(repeated)}.",
            errors=[
                {"field": name, "code": "repeated", "detail": "May be sent once."}
                for name in repeated
            ],
        )
