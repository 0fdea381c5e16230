"""The image files of a request, whatever they came in: one by one, or many in a ZIP."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from app.files.image_archive import ImageArchive, is_archive
from app.files.image_room import ImageRoom
from app.problems import UnusableImage


@dataclass(frozen=True)
class ImageFile:
    """One file, which is not read yet.

    Attributes:
        name: where the request has it.
        read: its bytes.
    """

    name: str
    read: Callable[[], bytes]


def open_images(name: str, file: BinaryIO, room: ImageRoom) -> Iterator[ImageFile]:
    """The file itself, or the images of the ZIP that it is, by their names.

    Args:
        name: where the request has the file.
        file: able to seek; stays open until the last image is read.
        room: what may still come.

    Raises:
        UnusableImage: it is a ZIP that cannot be used, or there is no room for it; with the name.
        UploadTooLarge: there is no room for its bytes.
    """
    if not is_archive(file):
        num_bytes = file.seek(0, io.SEEK_END)
        file.seek(0)
        with naming(name):
            room.take([num_bytes])
        yield ImageFile(name, partial(file.read, num_bytes))
        return
    with naming(name):
        archive = ImageArchive(file, room)
    for path in archive.paths:
        yield ImageFile(f"{name}/{path}", partial(archive.read, path))


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Says of what is refused inside which image it is.

    Raises:
        UnusableImage: with the name.
    """
    try:
        yield
    except UnusableImage as problem:
        raise problem.in_field(name) from problem
