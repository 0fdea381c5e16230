"""Source images of a training run: which there are, and squares cut from them.

Axes: H x W pixels.
"""

import math
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

# What the model is trained and measured on, px.
CROP_PX = 128
MAX_SIDE_PX = 1600
# How much of an image a square shows: so many px of it to a px of the square.
SCALES = (1.0, 1.0, 1.5, 2.0, 3.0)
HELD_OUT_EVERY = 20
# Packages that hold each picture in several sizes.
SEVERAL_SIZES = {"plasma-workspace-wallpapers"}
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


class ImagePool:
    """Source images in memory, and random squares of them; those under CROP_PX are left out."""

    def __init__(self, paths: Sequence[Path]):
        self.images: list[np.ndarray] = []
        self.areas: list[float] = []
        for path in paths:
            with Image.open(path) as opened:
                image = opened.convert("RGB")
            if min(image.size) < CROP_PX:
                continue
            image.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX), Image.Resampling.LANCZOS)
            if min(image.size) < CROP_PX:
                continue
            self.images.append(np.asarray(image))
            # A large photograph shows more than a small texture, but not in proportion.
            self.areas.append(math.sqrt(image.width * image.height))

    def square(self, rng: random.Random, side_px: int) -> Image.Image:
        """A square at a random place and one of SCALES, of this side or an image's own if less."""
        array = rng.choices(self.images, self.areas)[0]
        height, width = array.shape[:2]
        side_px = min(side_px, height, width)
        side = int(side_px * min(rng.choice(SCALES), min(height, width) / side_px))
        top, left = rng.randint(0, height - side), rng.randint(0, width - side)
        square = Image.fromarray(array[top : top + side, left : left + side])
        return square.resize((side_px, side_px), Image.Resampling.LANCZOS)

    def crop(self, rng: random.Random) -> Image.Image:
        """One CROP_PX square, as the model is trained and measured on."""
        return augmented(self.square(rng, CROP_PX), rng)


def augmented(crop: Image.Image, rng: random.Random) -> Image.Image:
    """The crop in another brightness, sometimes mirrored, sometimes grey."""
    if rng.random() < 0.5:
        crop = ImageOps.mirror(crop)
    if rng.random() < 0.2:
        crop = ImageOps.grayscale(crop).convert("RGB")
    gain, offset = rng.uniform(0.7, 1.3), rng.uniform(-25, 25)
    return crop.point(lambda value: min(255, max(0, int(value * gain + offset))))


def image_paths(folder: Path) -> list[Path]:
    """Image files below `folder`, sorted, links to others left out."""
    files = (p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    return sorted(p for p in files if p.is_file() and not p.is_symlink())


def split_images(folder: Path) -> tuple[list[Path], list[Path]]:
    """Paths below `folder` to train on and to measure with, whole images both.

    Every HELD_OUT_EVERY-th image in the order of the paths is not trained on; those of packages in
    SEVERAL_SIZES are not measured with either, since another size of them may be known.
    """
    paths = image_paths(folder)
    left_out = paths[::HELD_OUT_EVERY]
    training = sorted(set(paths) - set(left_out))
    return training, [p for p in left_out if not SEVERAL_SIZES & set(p.relative_to(folder).parts)]
