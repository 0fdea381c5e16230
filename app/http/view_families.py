"""The families of views of a request's images: what a job would do, and what a person may tick."""

from typing import Annotated

from pydantic import BaseModel, Field

from app.jobs.inputs import InputImage
from app.jobs.model import Invariance


class ViewFamily(BaseModel):
    """One way in which good parts may differ, shown on the request's own images."""

    name: Annotated[Invariance, Field(description="As in a job's `invariances`.")]
    title: Annotated[
        str, Field(description="What it does, in plain words.", examples=["Turned to any angle"])
    ]
    belief: Annotated[
        float, Field(ge=0, le=1, description="How likely such views are still good parts.")
    ]
    chosen: Annotated[
        bool, Field(description="Whether a job without `invariances` makes such views.")
    ]
    reason: Annotated[str, Field(description="What the belief rests on, one sentence.")]
    images: Annotated[
        list[str],
        Field(
            description="Some such views, small JPEGs as `data:` URLs.",
            examples=[["data:image/jpeg;base64,/9j/4AAQ"]],
        ),
    ]


class ViewFamilies(BaseModel):
    """What was understood of the images, and the families of views that can be made of them."""

    inputs: Annotated[list[InputImage], Field(description="What was understood of each image.")]
    families: Annotated[
        list[ViewFamily], Field(description="All that there are, always in the same order.")
    ]
