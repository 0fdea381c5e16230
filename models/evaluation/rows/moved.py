"""Images moved, turned and lit otherwise by a recipe, without a model: what a generator must beat.

Each is warped at its source's own size and then reduced to the size that the product delivers: a
warp of the reduced image would blur, and blur alone takes a sharp texture out of what a line makes.
The real images come first; sources take turns.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PIL import Image, ImageEnhance

from models.evaluation.rows.plain import (
    MAX_BRIGHTNESS,
    MAX_SCALE,
    MAX_SHIFT,
    MAX_TURN_DEG,
    Row,
    RowInput,
    warp,
)
from models.views.view import output_size

# One of three images of plain augmentation is a turn, in an order that spreads the first few.
TURN_EVERY = 3
EIGHTHS = (3, 6, 1, 4, 7, 2, 5)


@dataclass(frozen=True)
class Jitter:
    """Half-widths of uniform ranges: degrees, and shares of size, scale and brightness."""

    turn_deg: float
    scale: float
    shift: float
    brightness: float


TINY = Jitter(turn_deg=2.0, scale=0.02, shift=0.02, brightness=0.06)
PLAIN = Jitter(MAX_TURN_DEG, MAX_SCALE, MAX_SHIFT, MAX_BRIGHTNESS)


def reduced(image: Image.Image, long_side_px: int | None) -> Image.Image:
    """The image at the size that the product delivers for it."""
    return image.resize(output_size(image, long_side_px), Image.Resampling.LANCZOS)


def jittered(image: Image.Image, jitter: Jitter, rng: random.Random) -> Image.Image:
    """The image as it might lie a little otherwise under a slightly brighter or darker lamp."""
    moved = warp(
        image,
        turn_deg=rng.uniform(-jitter.turn_deg, jitter.turn_deg),
        scale=1.0 + rng.uniform(-jitter.scale, jitter.scale),
        shift=(
            rng.uniform(-jitter.shift, jitter.shift),
            rng.uniform(-jitter.shift, jitter.shift),
        ),
    )
    gain = 1.0 + rng.uniform(-jitter.brightness, jitter.brightness)
    return ImageEnhance.Brightness(moved).enhance(gain)


def small(data: RowInput) -> list[Image.Image]:
    """Tiny jitter: 2 degrees, 2 % of shift and scale, 6 % of brightness."""
    rng = random.Random(data.seed)
    return _added(data, lambda image, _number, _count: jittered(image, TINY, rng))


def augment(data: RowInput) -> list[Image.Image]:
    """Plain augmentation as in the table: turns by eighths, else small affine and light changes."""
    rng = random.Random(data.seed)

    def augmented(image: Image.Image, number: int, _count: int) -> Image.Image:
        eighth, rest = divmod(number, TURN_EVERY)
        if rest == 0 and eighth < len(EIGHTHS):
            return warp(image, turn_deg=45.0 * EIGHTHS[eighth])
        return jittered(image, PLAIN, rng)

    return _added(data, augmented)


def rotations(data: RowInput) -> list[Image.Image]:
    """Blind turns, spread evenly over the circle.

    Source: Lendering et al., "SubspaceAD" (arXiv 2602.23013), whose one image is turned 30 times.
    """
    return _added(
        data, lambda image, number, count: warp(image, turn_deg=360.0 * (number + 1) / (count + 1))
    )


def _added(
    data: RowInput, change: Callable[[Image.Image, int, int], Image.Image]
) -> list[Image.Image]:
    """The real images and `data.num_images` changes of each.

    `change` takes an image, the number of the change among that image's own, and their count.
    """

    def changes() -> Iterator[Image.Image]:
        for number in range(data.num_images):
            for image in data.images:
                yield reduced(change(image, number, data.num_images), data.image_size)

    return [*data.images, *changes()]


MOVED_ROWS: dict[str, Row] = {"small": small, "augment": augment, "rotations": rotations}
