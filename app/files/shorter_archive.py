"""A finished job's ZIP without some of its images, or its images alone, made while it is sent.

Images, rows of the table and entries of the manifest go; the others keep their names and numbers.
The manifest says under `left_out` which images are missing, and the card has a line on it.
"""

import csv
import io
import json
from collections.abc import Collection, Iterator
from copy import copy
from typing import BinaryIO
from zipfile import ZipFile

IMAGES_FOLDER = "/train/good/"
NOTE = "\n## Left out by hand\n\nThe figures above count these images, which are not here: {}.\n"


def image_names(archive: ZipFile) -> list[str]:
    """The paths of the new images, by number."""
    return [name for name in archive.namelist() if IMAGES_FOLDER in name]


def shorten_archive(file: BinaryIO, without: Collection[str]) -> Iterator[bytes]:
    """The bytes of the shorter ZIP, one entry in memory at a time.

    Args:
        file: the whole ZIP, able to seek; stays open.
        without: paths of images in it.
    """
    sink = _Sink()
    with ZipFile(file) as archive, ZipFile(sink, "w") as shorter:
        for entry in archive.infolist():
            if entry.filename not in without:
                shorter.writestr(entry, _edit(entry.filename, archive.read(entry), without))
                yield sink.take()
    yield sink.take()


def flatten_archive(file: BinaryIO, without: Collection[str]) -> Iterator[bytes]:
    """The bytes of a ZIP of the images alone, in no folder, named after the object.

    Args:
        file: the whole ZIP, able to seek; stays open.
        without: paths of images in it.
    """
    sink = _Sink()
    with ZipFile(file) as archive, ZipFile(sink, "w") as flat:
        for name in image_names(archive):
            if name not in without:
                entry = copy(archive.getinfo(name))
                entry.filename = name.replace(IMAGES_FOLDER, "-")
                flat.writestr(entry, archive.read(name))
                yield sink.take()
    yield sink.take()


def _edit(name: str, content: bytes, without: Collection[str]) -> bytes:
    if name.endswith("/train/metadata.csv"):
        return _without_rows(name, content, without)
    if name == "manifest.json":
        manifest = json.loads(content)
        kept = [image for image in manifest["images"] if image["file"] not in without]
        manifest |= {"images": kept, "num_images": len(kept), "left_out": sorted(without)}
        return f"{json.dumps(manifest, indent=2, ensure_ascii=False)}\n".encode()
    if name == "README.md":
        return content + NOTE.format(", ".join(f"`{path}`" for path in sorted(without))).encode()
    return content


def _without_rows(name: str, content: bytes, without: Collection[str]) -> bytes:
    folder = name.removesuffix("metadata.csv")
    header, *rows = csv.reader(io.StringIO(content.decode(), newline=""))
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerows([header, *(row for row in rows if folder + row[0] not in without)])
    return table.getvalue().encode()


class _Sink(io.RawIOBase):
    """A file of which the end is kept: a ZIP's writer seeks back to the entry's head, no further.

    So no entry needs a data descriptor, which some readers refuse for stored entries.
    """

    def __init__(self) -> None:
        self._kept, self._start = io.BytesIO(), 0

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return self._kept.write(data)

    def tell(self) -> int:
        return self._start + self._kept.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        place = offset - self._start if whence == io.SEEK_SET else offset
        return self._start + self._kept.seek(place, whence)

    def take(self) -> bytes:
        """What was written since the last time; it cannot be changed any more."""
        data = self._kept.getvalue()
        self._start, self._kept = self._start + len(data), io.BytesIO()
        return data
