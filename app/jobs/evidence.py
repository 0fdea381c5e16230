"""What a finished job shows beside its images, so that a person can judge them."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

EVIDENCE_FILE = "evidence.zip"
INDEX_FILE = "evidence.json"

Share = Annotated[float, Field(ge=0, le=1)]


class EvidenceKind(StrEnum):
    """What a picture of the evidence shows."""

    real = "real"
    variance = "variance"
    rejected = "rejected"
    new = "new"


def picture_name(kind: EvidenceKind, number: int) -> str:
    """Where in the evidence's ZIP the picture lies."""
    return f"{kind}/{number:03d}.jpg"


class Place(BaseModel):
    """A box in an image, in shares of its width and height from its upper left corner."""

    model_config = ConfigDict(frozen=True)

    left: Share
    top: Share
    width: Share
    height: Share


class RejectedImage(BaseModel):
    """An image that the guard kept out of the set."""

    model_config = ConfigDict(frozen=True)

    reason: Annotated[str, Field(description="`anomalous` or `near_copy`.", examples=["anomalous"])]
    source: Annotated[int, Field(description="Number of the real image that it is a view of.")]
    guard_distance: Annotated[
        float | None,
        Field(
            description="How far its worst patch lies from the real ones; 1 is the limit. "
            "Null of a near copy, whose patches are not looked at."
        ),
    ]
    nearest_distance: Annotated[
        float, Field(description="Largest local difference to the image most like it, 0 to 1.")
    ]
    place: Annotated[Place | None, Field(description="Its worst patch; null of a near copy.")]


class Evidence(BaseModel):
    """What there are pictures of; `number` in their addresses counts from 0 in each kind."""

    num_real: Annotated[int, Field(description="Real images as they were used.")]
    has_variance: Annotated[
        bool,
        Field(description="Whether there is a map of the variance of each: sigma varied images."),
    ] = True
    rejections: Annotated[
        dict[str, int], Field(description="Images that the guard kept out, by reason.")
    ]
    rejected: Annotated[
        list[RejectedImage], Field(description="The first of them, which have a picture.")
    ]
