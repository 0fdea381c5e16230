"""What a detector may train on: one function a row of the table.

A row takes k real images and returns all the training images, the real ones included. Rows of
one's own are named `module:function`; the pipeline's lie in models/evaluation/rows/generated.py.
"""

import importlib
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance
from torch.nn import functional as F

from models.evaluation.data.dataset import load_image

NUM_SMALL_CHANGES = 16
MAX_TURN_DEG, MAX_SCALE, MAX_SHIFT, MAX_BRIGHTNESS = 8.0, 0.06, 0.05, 0.1


@dataclass(frozen=True, kw_only=True, eq=False)
class RowInput:
    """What a row may use; one object for all rows of the same real images.

    Attributes:
        images: the k real images, RGB.
        object_name: the category's name as a word.
        seed: the same that chose the images.
        train: files of all real training images; only `full` looks at them.
        num_images: how many images a generating row adds for each real one; `augment` adds 23.
        image_size: long side of generated images in px; None: that of the first real image.
        effort: how hard the pipeline works, "draft", "standard" or "high".
        invariances: what a person says may vary; None leaves it to the images.
        encoder, vqgan, device: what `load_pipeline` takes.
    """

    images: Sequence[Image.Image]
    object_name: str
    seed: int
    train: Sequence[Path]
    num_images: int = 24
    image_size: int | None = None
    effort: str = "standard"
    invariances: Sequence[str] | None = None
    encoder: str = "embedded"
    vqgan: str = "embedded"
    device: str = "auto"


Row = Callable[[RowInput], list[Image.Image]]


def real(data: RowInput) -> list[Image.Image]:
    """The k real images alone."""
    return list(data.images)


def full(data: RowInput) -> list[Image.Image]:
    """All real training images: the ceiling."""
    return [load_image(path) for path in data.train]


def augment(data: RowInput) -> list[Image.Image]:
    """Each image in 8 rotations (0 is itself) and 16 small affine and brightness changes."""
    rng = random.Random(data.seed)
    images = []
    for image in data.images:
        images += [image, *(warp(image, turn_deg=45.0 * i) for i in range(1, 8))]
        images += [_small_change(image, rng) for _ in range(NUM_SMALL_CHANGES)]
    return images


def warp(
    image: Image.Image,
    *,
    turn_deg: float = 0.0,
    scale: float = 1.0,
    shift: tuple[float, float] = (0.0, 0.0),
) -> Image.Image:
    """Turns, scales and shifts about the centre; what comes in over the border is reflected.

    The filter is the one that the product's views have, torch's bicubic: it leaves the gradients'
    energy as it is, where a bilinear one takes a fifth of it and PIL's bicubic one adds a tenth,
    and either makes good images look like no good ones.

    Args:
        image: RGB.
        turn_deg: counter-clockwise.
        scale: above 1 enlarges.
        shift: (right, down) as shares of width and height.
    """
    width, height = image.size
    turn = math.radians(turn_deg)
    cos, sin = math.cos(turn) / scale, math.sin(turn) / scale
    # Where each output pixel comes from: R(-turn) / scale * (p - shift), both in [-1, 1].
    aspect = height / width
    matrix = torch.tensor([[cos, -sin * aspect, 0.0], [sin / aspect, cos, 0.0]])
    matrix[:, 2] = -2.0 * matrix[:, :2] @ torch.tensor(shift)
    grid = F.affine_grid(matrix[None], [1, 3, height, width], align_corners=False)
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float()
    warped = F.grid_sample(
        pixels, grid, mode="bicubic", padding_mode="reflection", align_corners=False
    )[0]
    return Image.fromarray(warped.clamp(0, 255).round().byte().permute(1, 2, 0).numpy())


def _small_change(image: Image.Image, rng: random.Random) -> Image.Image:
    moved = warp(
        image,
        turn_deg=rng.uniform(-MAX_TURN_DEG, MAX_TURN_DEG),
        scale=1.0 + rng.uniform(-MAX_SCALE, MAX_SCALE),
        shift=(rng.uniform(-MAX_SHIFT, MAX_SHIFT), rng.uniform(-MAX_SHIFT, MAX_SHIFT)),
    )
    gain = 1.0 + rng.uniform(-MAX_BRIGHTNESS, MAX_BRIGHTNESS)
    return ImageEnhance.Brightness(moved).enhance(gain)


PLAIN_ROWS: dict[str, Row] = {"full": full, "real": real, "augment": augment}
GENERATED_ROWS = ("views", "reconstruct", "goodmany", "varied", "paper")
ABLATION_ROWS = ("no-selection", "no-text", "unit-sigma", "no-guard", "no-adaptation")
ROWS = (*PLAIN_ROWS, *GENERATED_ROWS, *ABLATION_ROWS)


def row_module(name: str) -> str:
    """Name of the module that makes the row's images."""
    if name in PLAIN_ROWS:
        return __name__
    return "models.evaluation.rows.generated" if name in ROWS else name.partition(":")[0]


def find_row(name: str) -> Row:
    """The row of a name in ROWS, or of `module:function`.

    Raises:
        ValueError: there is no such row.
    """
    if name in PLAIN_ROWS:
        return PLAIN_ROWS[name]
    function = name.partition(":")[2]
    if name not in ROWS and not function:
        raise ValueError(f"no row {name!r}; there are {', '.join(ROWS)} and module:function")
    # Named and not imported: the pipeline and its models are loaded only where a row needs them.
    module = importlib.import_module(row_module(name))
    found: Row = getattr(module, function) if function else module.generated_row(name)
    return found
