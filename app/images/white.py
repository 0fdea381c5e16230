"""Which stored value is white: one answer for all images of a request.

An image of 8 bits has its white at 255. Above that a file seldom says how many of its bits count: a
camera of 12 bits writes 0 to 4095 into numbers of 16. So the images of a request are looked at
together, and the smallest of 8, 10, 12, 14 and 16 bits that holds the largest value in any of them
is taken for all of them; a file that does say (a TIFF with packed 12-bit pixels) counts as well.
Whoever knows better says so with the request.
"""

from collections.abc import Sequence

from app.images.facts import ImageFacts

CAMERA_BITS = (8, 10, 12, 14)


def decide_bits(images: Sequence[ImageFacts], told: int | None) -> list[int]:
    """How many bits of each image's numbers count; its white is 2^bits - 1.

    Args:
        images: all of a request.
        told: what the request says; it is about files that have more than 8 bits.
    """
    if told is not None:
        return [told if image.is_deep else 8 for image in images]
    deep = [image for image in images if image.is_deep]
    found = max((image.bits or _needed_bits(image) for image in deep), default=8)
    return [image.bits or found for image in images]


def exceeds(image: ImageFacts, bits: int) -> bool:
    """Whether the image has a value that these bits cannot hold."""
    return image.largest >= 2**bits


def _needed_bits(image: ImageFacts) -> int:
    return next((bits for bits in CAMERA_BITS if image.largest < 2**bits), image.storage_bits)
