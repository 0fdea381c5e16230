"""What was understood of a request's images, for its sender to see before the job is done."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.images.facts import ImageFacts
from app.images.oddities import Oddity, Warned, find_oddities
from app.images.shape import MAX_RATIO, shape_difference
from app.images.white import decide_bits, exceeds
from app.problems import InvalidRequest, ShapeMismatch

# Of fewer, none has the five neighbours by which it is told what else the line makes.
MIN_HELD_OUT = 6


class InputWarning(BaseModel):
    """What its sender should look at; the job is done all the same."""

    model_config = ConfigDict(frozen=True)

    # Not the enumeration: a record may be of a version that knows more of them.
    code: Annotated[
        str,
        Field(description=f"For programs: {', '.join(Oddity)}.", examples=["duplicate"]),
    ]
    detail: Annotated[str, Field(examples=["The same pixels as image 0."])]
    same_as: Annotated[
        int | None,
        Field(
            description="Of a duplicate, the earlier image; those that are held out are counted "
            "on after the others.",
            examples=[0],
        ),
    ] = None

    @classmethod
    def of(cls, warned: Warned) -> "InputWarning":
        """The warning as a client sees it."""
        return cls(code=warned.code, detail=warned.detail, same_as=warned.same_as)


class InputImage(BaseModel):
    """One image of the request, as it was understood."""

    model_config = ConfigDict(frozen=True)

    field: Annotated[
        str,
        Field(
            description="Where the request has it, as problems name it; empty for a job of an "
            "older version.",
            examples=["images[0]", "images[0]/line 3/a.png"],
        ),
    ] = ""
    width: Annotated[int, Field(description="In px, upright.", examples=[1280])]
    height: Annotated[int, Field(description="In px, upright.", examples=[960])]
    bit_depth: Annotated[
        int, Field(description="How many bits of each stored number count.", examples=[12])
    ]
    channels: Annotated[
        int, Field(description="Channels of the file, transparency among them.", examples=[1])
    ]
    orientation: Annotated[
        int, Field(description="The Exif orientation that was applied; 1: none.", examples=[1])
    ]
    white: Annotated[int, Field(description="The stored number that is white.", examples=[4095])]
    warnings: list[InputWarning] = []

    @property
    def same_as(self) -> int | None:
        """The earlier image that it is a duplicate of."""
        return next((w.same_as for w in self.warnings if w.same_as is not None), None)


def understand(
    images: Sequence[ImageFacts], bit_depth: int | None, names: Sequence[str]
) -> list[InputImage]:
    """The images as they will be used, all with one white, and what is odd about each.

    Args:
        images: all of a request.
        bit_depth: what the request says of files that have more than 8 bits.
        names: what its sender calls each image.

    Raises:
        InvalidRequest: an image has numbers that need more bits than the request says.
        ShapeMismatch: an image's shape is too far from the first one's.
    """
    bits = decide_bits(images, bit_depth)
    for image, depth, name in zip(images, bits, names, strict=True):
        if bit_depth is not None and exceeds(image, depth):
            detail = f"{name} has a pixel of {image.largest}; {depth} bits hold {2**depth - 1}."
            fault = {"field": "bit_depth", "code": "exceeded", "detail": detail}
            raise InvalidRequest(f"Not valid: bit_depth. {detail}", errors=[fault])
        if shape_difference(image.size, images[0].size) > MAX_RATIO:
            raise _mismatch(image, images[0]).in_field(name)
    warnings = find_oddities(images, bits)
    return [
        InputImage(
            field=name,
            width=image.width,
            height=image.height,
            bit_depth=depth,
            channels=image.num_channels,
            orientation=image.orientation,
            white=0 if image.inverted else 2**depth - 1,
            warnings=[InputWarning.of(warned) for warned in found],
        )
        for name, image, depth, found in zip(names, images, bits, warnings, strict=True)
    ]


def _mismatch(image: ImageFacts, first: ImageFacts) -> ShapeMismatch:
    return ShapeMismatch(
        f"{image.width} x {image.height} px are not of the first image's shape, "
        f"{first.width} x {first.height}: their ratios differ by more than "
        f"{round(100 * (MAX_RATIO - 1))} %. Cut them to one shape, or send them apart."
    )
