"""The form of the dry run of views: a job's images, and of its fields those that count here."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.http.job_form import ImagesForm
from app.jobs.model import MAX_OBJECT_NAME_CHARS, BitDepth, ImageSize, ImagesUrl, PlainText


class ViewsRequest(BaseModel):
    """The request, without the images."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    object_name: Annotated[
        Annotated[PlainText, Field(min_length=1, max_length=MAX_OBJECT_NAME_CHARS)] | None,
        Field(description="As of a job; nothing depends on it.", examples=["hazelnut"]),
    ] = None
    images_url: ImagesUrl = None
    bit_depth: BitDepth = None
    image_size: ImageSize = None


class ViewsForm(ImagesForm, ViewsRequest):
    """The request with its images, as a form."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
