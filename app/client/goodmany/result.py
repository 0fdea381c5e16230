"""What a job has made: its ZIP, as images, as a folder, as it is."""

import json
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast
from zipfile import ZipFile

from PIL import Image

from goodmany.status import JobStatus

MAX_BYTES_IN_MEMORY = 32 * 2**20


class NewImage(NamedTuple):
    """One new image.

    Attributes:
        image: RGB, 8 bits.
        entry: what the manifest says of it: file, seed, source, view and scores.
    """

    image: Image.Image
    entry: dict[str, Any]


def spool() -> BinaryIO:
    """A file for a ZIP, in memory while it is small."""
    return cast(BinaryIO, tempfile.SpooledTemporaryFile(MAX_BYTES_IN_MEMORY))


@contextmanager
def writing(file: BinaryIO | str | Path) -> Iterator[BinaryIO]:
    """The file, or one that gets this name when the block ends well and is not there otherwise."""
    if not isinstance(file, str | Path):
        yield file
        return
    path = Path(file)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as opened:
            yield opened
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


class Result:
    """The new images of a job that has succeeded. What it holds is freed with it.

    Attributes:
        job: how the job ended.
        file: the ZIP, open.
    """

    def __init__(self, job: JobStatus, file: BinaryIO):
        self.job = job
        self.file = file
        weakref.finalize(self, file.close)

    @property
    def archive(self) -> bytes:
        """The ZIP."""
        self.file.seek(0)
        return self.file.read()

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Its `manifest.json`: request, prompt, what may vary and why, rejections, images."""
        with self._open() as archive:
            return dict(json.loads(archive.read("manifest.json")))

    def images(self) -> Iterator[NewImage]:
        """The new images in their order, one in memory at a time, with their manifest entries."""
        for entry in self.manifest["images"]:
            with self._open() as archive, archive.open(entry["file"]) as file:
                image = Image.open(file)
                image.load()
            yield NewImage(image, entry)

    def save(self, folder: str | Path) -> list[Path]:
        """Unpacks the ZIP into the folder, which is made; the new images' paths."""
        with self._open() as archive:
            archive.extractall(folder)
        return [Path(folder) / entry["file"] for entry in self.manifest["images"]]

    def save_archive(self, path: str | Path) -> None:
        """Writes the ZIP as a file."""
        self.file.seek(0)
        with writing(path) as file:
            shutil.copyfileobj(self.file, file)

    def _open(self) -> ZipFile:
        return ZipFile(self.file)

    def __repr__(self) -> str:
        return f"<Result of job {self.job.id}: {self.job.num_images} images>"
