"""What is odd about an image that can be read: what its sender should look at before training.

Nothing of it refuses an image. Dark-field pictures are black by intent, and a texture may be nearly
constant; only the sender knows.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.images.facts import ImageFacts
from app.images.shape import crop_box

# Of 255: where black and white begin to look like black and white, and how little is constant.
NEARLY_BLACK = 20
NEARLY_WHITE = 235
CONSTANT_SPREAD = 3
# A blur that is seen in an image of 256 px, a pixel's deviation there, brings a picture below this;
# of eleven kinds of good parts and textures, no more than 3 % of the pictures came below it.
BLURRED_SHARE = 0.2
# A cut of a pixel or two is for rounding.
TOLD_CUT = 0.01


class Oddity(StrEnum):
    """The kinds of warnings, for programs."""

    nearly_black = "nearly_black"
    nearly_white = "nearly_white"
    constant = "constant"
    blurred = "blurred"
    duplicate = "duplicate"
    cropped = "cropped"
    transparency_ignored = "transparency_ignored"
    channel_ignored = "channel_ignored"


@dataclass(frozen=True)
class Warned:
    """One warning.

    Attributes:
        code: its kind.
        detail: one sentence for a person.
        same_as: of a duplicate, the number of the earlier image.
    """

    code: Oddity
    detail: str
    same_as: int | None = None


def find_oddities(images: Sequence[ImageFacts], bits: Sequence[int]) -> list[list[Warned]]:
    """The warnings of each image.

    Args:
        images: all of a request.
        bits: of each, as decided: its white is 2^bits - 1.
    """
    return [
        [
            *_of_tones(image, 2 ** bits[number] - 1),
            *_of_sharpness(number, images),
            *_of_copies(number, images),
            *_of_shape(image, images[0]),
            *_of_channels(image),
        ]
        for number, image in enumerate(images)
    ]


def _of_tones(image: ImageFacts, white: int) -> Iterator[Warned]:
    low, high = (min(value, white) * 255 / white for value in (image.low, image.high))
    if image.inverted:
        low, high = 255 - high, 255 - low
    # What is transparent is laid on white.
    is_mostly_paper = image.transparent > 0.99
    if high < NEARLY_BLACK and image.transparent < 0.01:
        detail = f"99 % of it is darker than {NEARLY_BLACK} of 255."
        hint = f" White is {white}; `bit_depth` says otherwise." if image.is_deep else ""
        yield Warned(Oddity.nearly_black, detail + hint)
    if low > NEARLY_WHITE or is_mostly_paper:
        yield Warned(Oddity.nearly_white, f"99 % of it is brighter than {NEARLY_WHITE} of 255.")
    is_even = image.spread * 255 / white < CONSTANT_SPREAD and image.transparent < 0.001
    if is_even or image.transparent > 0.999:
        yield Warned(Oddity.constant, "All of it has one colour; there is nothing to be seen.")


def _of_sharpness(number: int, images: Sequence[ImageFacts]) -> Iterator[Warned]:
    others = [image.sharpness for n, image in enumerate(images) if n != number]
    usual = statistics.median(others) if others else 0.0
    sharpness = images[number].sharpness
    if 0 < sharpness < BLURRED_SHARE * usual:
        share = round(100 * sharpness / usual)
        detail = f"Blurred: it has {share} % of the fine structure that the others have."
        yield Warned(Oddity.blurred, detail)


def _of_copies(number: int, images: Sequence[ImageFacts]) -> Iterator[Warned]:
    for earlier in range(number):
        if images[earlier].fingerprint == images[number].fingerprint:
            yield Warned(Oddity.duplicate, f"The same pixels as image {earlier}.", earlier)
            return


def _of_shape(image: ImageFacts, first: ImageFacts) -> Iterator[Warned]:
    box = crop_box(image.size, first.size)
    if box is None:
        return
    width, height = box[2] - box[0], box[3] - box[1]
    if width * height < (1 - TOLD_CUT) * image.width * image.height:
        detail = f"Cut to {width} x {height} px, to have the first image's shape."
        yield Warned(Oddity.cropped, detail)


def _of_channels(image: ImageFacts) -> Iterator[Warned]:
    if image.has_unused_alpha:
        detail = "Its alpha channel is 0 everywhere, and left out."
        yield Warned(Oddity.transparency_ignored, detail)
    if image.has_unknown_channel:
        detail = "It has a further channel of which nothing says what it means; it is left out."
        yield Warned(Oddity.channel_ignored, detail)
