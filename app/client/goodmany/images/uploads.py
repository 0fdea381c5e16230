"""Good images in whatever form a program has them, as files to be sent."""

import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias, Union

from PIL import Image

from goodmany.images.array_png import ImageArray, encode_array, is_array
from goodmany.images.files import find_images

OneImage: TypeAlias = Union[str, "os.PathLike[str]", bytes, BinaryIO, Image.Image, ImageArray]
# A string may name a folder or a pattern, an array of four axes may hold several images.
Images: TypeAlias = OneImage | Iterable[OneImage]
NUM_STACK_AXES = 4
DEEP_MODES = ("I;16", "I;16L", "I;16B", "I;16N")


@dataclass(frozen=True)
class Upload:
    """A file to be sent, as often as it takes.

    Attributes:
        name: what the service is told.
        content: its bytes, or where they are.
    """

    name: str
    content: bytes | Path

    def open(self) -> BinaryIO:
        """The bytes from the beginning."""
        return (
            self.content.open("rb") if isinstance(self.content, Path) else io.BytesIO(self.content)
        )


def gather(images: Images) -> list[Upload]:
    """The images as files, in their order; pixels lose nothing.

    Args:
        images: one or several of: a path, which may be of a folder or a pattern such as
            `parts/*.png`; the bytes of an image file, or a file open for reading; a Pillow image;
            an array, see `encode_array`, or several of them stacked.

    Raises:
        FileNotFoundError: there is no such file, or no image in a folder or behind a pattern.
        ValueError: an image has pixels that cannot be sent, or there is no image.
        TypeError: it is nothing of the kind.
    """
    # A file that is named twice, or by its folder too, is one image; equal pixels the service sees.
    once: dict[int | Path, Upload] = {}
    for number, upload in enumerate(_uploads(images)):
        key = upload.content if isinstance(upload.content, Path) else number
        once.setdefault(key, upload)
    if not once:
        raise ValueError("Name at least one image.")
    return list(once.values())


def _uploads(images: object) -> Iterator[Upload]:
    if isinstance(images, str | os.PathLike):
        for path in find_images([os.fspath(images)]):
            yield Upload(path.name, path)
    elif isinstance(images, bytes | bytearray | memoryview):
        yield Upload("image", bytes(images))
    elif isinstance(images, Image.Image):
        yield _of_picture(images)
    elif is_array(images):
        stack = list(images) if len(images.shape) == NUM_STACK_AXES else [images]  # type: ignore[call-overload]
        for array in stack:
            yield Upload("image.png", encode_array(array))
    elif hasattr(images, "read"):
        yield Upload("image", images.read())
    elif isinstance(images, Iterable):
        for image in images:
            yield from _uploads(image)
    else:
        raise TypeError(
            f"{type(images).__name__} is no image: a path, bytes, a picture or an array."
        )


def _of_picture(picture: Image.Image) -> Upload:
    """Without loss: TIFF for what PNG does not know."""
    if picture.mode in ("I", "F"):
        raise ValueError(
            f"A picture of mode {picture.mode} does not say what is white; make it 8 or 16 bit."
        )
    kind = "PNG" if picture.mode in ("1", "L", "LA", "P", "RGB", "RGBA", *DEEP_MODES) else "TIFF"
    file = io.BytesIO()
    # With its Exif orientation: what the service reads is what its file would have shown.
    picture.save(file, kind, exif=picture.getexif())
    return Upload(f"image.{kind.lower()}", file.getvalue())
