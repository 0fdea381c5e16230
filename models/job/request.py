"""What goes into a generation and what comes out of it: plain data, without torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

ProgressCallback = Callable[[str, float, dict[str, object]], None]
"""(stage, percent 0..100 over the whole job and never decreasing, facts).

Called at least about once a second of work. It may raise to cancel: whatever it raises leaves the
pipeline unchanged. Stages in order: "prompt", "adapt", "rounds", "fill", then the worker's
"archive".
"""


@dataclass(frozen=True, kw_only=True)
class GenerationRequest:
    """A request for `num_images` new good images of one object.

    Attributes:
        images: k >= 1 good images, RGB 8-bit; of several sizes, the first one's shape is kept.
        object_name: what the images show, the paper's W^o.
        sense: WordNet's name of the meaning that the name has; None takes the likeliest.
        num_images: how many new images are wanted, the paper's M.
        image_size: long side of the output in px; None: the first image's own, up to
            `models.views.view.MAX_SIDE_PX`.
        seed: fixes every random draw.
        prompt: replaces the prompt that would be chosen.
        invariances: names from `models.views.view.INVARIANCES`; None decides from the images.
        effort: "draft", "standard" or "high".
        preset: "goodmany", "varied" or "paper", see `models.job.options.PRESETS`.
        strict: fewer images than wanted is an error and not a shorter set.
    """

    images: Sequence[Image.Image]
    object_name: str
    sense: str | None = None
    num_images: int = 16
    image_size: int | None = None
    seed: int = 0
    prompt: str | None = None
    invariances: frozenset[str] | None = None
    effort: str = "standard"
    preset: str = "goodmany"
    strict: bool = False


@dataclass(frozen=True)
class GeneratedImage:
    """One accepted image.

    Attributes:
        render: makes the pixels, so that a set of large images is never in memory at once.
        seed: the seed of this image's own draws.
        source: index into `GenerationRequest.images` of the real image that it varies.
        kind: "view", a view of the real image as it is, or "varied", one that sigma varies.
        transform: the view it starts from, JSON-able.
        scores: `prompt_cosine`, `guard_distance`, `nearest_distance`.
    """

    render: Callable[[], np.ndarray]
    seed: int
    source: int
    kind: str
    transform: dict[str, object]
    scores: dict[str, float]

    @property
    def pixels(self) -> np.ndarray:
        """(H, W, 3) uint8, sRGB; made anew at each call where the image is large."""
        return self.render()


@dataclass(frozen=True)
class RejectedImage:
    """One image that the guard kept out.

    Attributes:
        pixels: (h, w, 3) uint8, sRGB, as the method saw it.
        source: as of a `GeneratedImage`.
        reason: "anomalous" or "near_copy".
        guard_distance, nearest_distance: as in a `GeneratedImage`'s scores.
        place: its worst patch as (left, top, width, height), shares of the image in [0, 1].
            Both None of a near copy, whose patches are not looked at.
    """

    pixels: np.ndarray
    source: int
    reason: str
    guard_distance: float | None
    nearest_distance: float
    place: tuple[float, float, float, float] | None


@dataclass(frozen=True)
class GenerationResult:
    """What a generation made and how.

    Attributes:
        images: the accepted images, in the order in which they were chosen.
        prompt: the prompt P that guided the rounds.
        report: JSON-able: prompt with its candidates, invariances with their evidence, rounds,
            rejections by reason, models by role, timings_s by stage, guard thresholds.
        variance: (k, h, w) float32 in [0, 1], the relative sigma map of each real image, of the
            images' shape at the size at which the generator works; None if sigma varied no image.
        size: (width, height) of the images in px.
        rejected: the first of the images that the guard kept out, for people to look at.
    """

    images: list[GeneratedImage]
    prompt: str
    report: dict[str, object]
    variance: np.ndarray | None
    size: tuple[int, int]
    rejected: Sequence[RejectedImage] = ()
