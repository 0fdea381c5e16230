"""The evidence beside the archive: the real images as used, their maps, what the guard kept out.

    evidence.json        what there is, an `app.jobs.evidence.Evidence`
    real/000.jpg ...     each real image, in the shape of the new ones
    variance/000.jpg ... where the generator lets it vary, as a heat map over it
    rejected/000.jpg ... the first images that the guard kept out, as the method saw them
    new/000.jpg ...      the new images, small

For the eye: JPEGs. Nothing of it is for training.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, cast
from zipfile import ZIP_STORED, ZipFile

from PIL import Image

from app.jobs.evidence import (
    INDEX_FILE,
    Evidence,
    EvidenceKind,
    Place,
    RejectedImage,
    picture_name,
)
from models.job.request import GenerationResult
from models.job.request import RejectedImage as RejectedPixels
from workers.archive.preview import overlay_heat
from workers.archive.small_pictures import SMALL_SIDE_PX

JPEG_QUALITY = 90
LARGE_SIDE_PX = 1024


def write_evidence(
    file: BinaryIO,
    inputs: Sequence[Image.Image],
    result: GenerationResult,
    *,
    on_picture: Callable[[], None] = lambda: None,
) -> None:
    """Writes the ZIP to `file`, which need not be able to seek.

    Args:
        file: open for binary writing; stays open.
        inputs: the k real images in the order of `result.variance`, where there is one.
        result: what was made of them.
        on_picture: called after each picture; what it raises leaves this function unchanged.
    """
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_STORED) as archive:
        archive.writestr(INDEX_FILE, _describe(len(inputs), result).model_dump_json())
        for name, picture in _pictures(inputs, result):
            content = io.BytesIO()
            picture.save(content, "JPEG", quality=JPEG_QUALITY)
            archive.writestr(name, content.getvalue())
            on_picture()
    file.write(buffer.getvalue())


def _describe(num_real: int, result: GenerationResult) -> Evidence:
    rejections = cast(dict[str, int], result.report.get("rejections", {}))
    return Evidence(
        num_real=num_real,
        has_variance=result.variance is not None,
        rejections=rejections,
        rejected=[_described(image) for image in result.rejected],
    )


def _described(image: RejectedPixels) -> RejectedImage:
    distance, place = image.guard_distance, image.place
    return RejectedImage(
        reason=image.reason,
        source=image.source,
        guard_distance=None if distance is None else round(distance, 4),
        nearest_distance=round(image.nearest_distance, 4),
        place=place and Place(**dict(zip(Place.model_fields, place, strict=True))),
    )


def _pictures(
    inputs: Sequence[Image.Image], result: GenerationResult
) -> Iterator[tuple[str, Image.Image]]:
    """(path in the ZIP, picture), one by one."""
    size = _fit(result.size, LARGE_SIDE_PX)
    sigmas = [None] * len(inputs) if result.variance is None else result.variance
    for number, (image, sigma) in enumerate(zip(inputs, sigmas, strict=True)):
        picture = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
        yield picture_name(EvidenceKind.real, number), picture
        if sigma is not None:
            yield picture_name(EvidenceKind.variance, number), overlay_heat(picture, sigma)
    for number, rejected in enumerate(result.rejected):
        yield picture_name(EvidenceKind.rejected, number), Image.fromarray(rejected.pixels)
    for number, made in enumerate(result.images):
        picture = Image.fromarray(made.pixels)
        small = picture.resize(_fit(picture.size, SMALL_SIDE_PX), Image.Resampling.LANCZOS)
        yield picture_name(EvidenceKind.new, number), small


def _fit(size: tuple[int, int], side_px: int) -> tuple[int, int]:
    """The size of the same shape with a long side of at most `side_px`."""
    factor = min(1.0, side_px / max(size))
    width, height = size
    return max(1, round(width * factor)), max(1, round(height * factor))
