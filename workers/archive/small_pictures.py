"""The new images for the eye, kept as the archive is written, so that a large one is made once."""

import io
from dataclasses import replace
from functools import partial

import numpy as np
from PIL import Image

from models.job.request import GenerationResult

SMALL_SIDE_PX = 320
JPEG_QUALITY = 92


class SmallPictures:
    """Keeps each image with a long side of at most SMALL_SIDE_PX, as a JPEG."""

    def __init__(self) -> None:
        self.files: list[bytes] = []

    def keep(self, pixels: np.ndarray) -> None:
        """Keeps the next image, (H, W, 3) uint8."""
        picture = Image.fromarray(pixels)
        picture.thumbnail((SMALL_SIDE_PX, SMALL_SIDE_PX), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=JPEG_QUALITY)
        self.files.append(file.getvalue())

    def of(self, result: GenerationResult) -> GenerationResult:
        """The result with the kept pictures in place of its images, for what only shows them."""
        pairs = zip(result.images, self.files, strict=True)
        small = [replace(image, render=partial(_read, file)) for image, file in pairs]
        return replace(result, images=small)


def _read(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)))
