"""A ZIP of images from a stranger: read from where it lies, file by file, and never unpacked.

An image is known by its name's ending, as in a folder; folders, hidden files, what macOS adds and
all other files are passed over. What may be meant to mislead is refused: encryption, paths that
lead elsewhere, links, a name that comes twice, a ZIP within the ZIP. The images themselves are
looked at like any others, by the decoders.
"""

import io
import re
import shutil
import stat
import struct
import zlib
from pathlib import PurePosixPath
from typing import BinaryIO, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from app.files.image_room import ImageRoom
from app.problems import NoImages, UnusableArchive

SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".jpe", ".bmp", ".tif", ".tiff", ".webp"))
BEGINNINGS = (b"PK\x03\x04", b"PK\x05\x06")
# Some thousands of names; a ZIP's reader makes an object of each.
MAX_DIRECTORY_BYTES = 512 * 1024
CHUNK_BYTES = 64 * 1024
MAX_PATH_CHARS = 255
ELSEWHERE = re.compile(r"/|[A-Za-z]:|.*[\x00-\x1f\x7f]")
ENCRYPTED = 0x1
UNIX = 3
# What `zipfile` raises on bytes that make no sense.
FAULTS = (
    BadZipFile, EOFError, NotImplementedError, OSError, OverflowError, RuntimeError, ValueError,
    struct.error, zlib.error,
)  # fmt: skip


def is_archive(file: BinaryIO) -> bool:
    """Whether the file's content begins like a ZIP's; it stands at its beginning again."""
    beginning = file.read(4)
    file.seek(0)
    return beginning in BEGINNINGS


class ImageArchive:
    """The images of one ZIP.

    Args:
        file: able to seek; stays open as long as this is used.
        room: what may still come; all images take theirs, by what the ZIP says of them.

    Attributes:
        paths: of the images, in the order of their names.

    Raises:
        UnusableArchive: it is broken, encrypted or meant to mislead.
        NoImages: it holds none.
        TooManyImages, ImageTooLarge, UploadTooLarge: it holds more than there is room for.
    """

    def __init__(self, file: BinaryIO, room: ImageRoom):
        try:
            self._zip = ZipFile(cast(BinaryIO, _ShortReads(file)))
        except FAULTS as error:
            raise UnusableArchive("The ZIP is broken, or lists too many files.") from error
        self._entries = _find_images(self._zip.infolist())
        self.paths = sorted(self._entries)
        if not self.paths:
            known = ", ".join(sorted(SUFFIXES))
            raise NoImages(f"The ZIP holds no image ({known}).")
        room.take([entry.file_size for entry in self._entries.values()])

    def read(self, path: str) -> bytes:
        """The image file.

        Raises:
            UnusableArchive: the ZIP is broken there, or holds more than it says.
        """
        content = io.BytesIO()
        try:
            # What is unpacked beyond the size that was told is cut off, and fails its check sum.
            with self._zip.open(self._entries[path]) as file:
                shutil.copyfileobj(file, content, CHUNK_BYTES)
            return content.getvalue()
        except FAULTS as error:
            raise UnusableArchive(f"The ZIP is broken at {path}.") from error


def _find_images(entries: list[ZipInfo]) -> dict[str, ZipInfo]:
    """The images by their paths."""
    found: dict[str, ZipInfo] = {}
    for entry in entries:
        path = _path_of(entry)
        if entry.is_dir() or is_hidden(path):
            continue
        if path.suffix.lower() == ".zip":
            raise UnusableArchive(f"There is a ZIP within the ZIP: {path}.")
        if path.suffix.lower() in SUFFIXES:
            _check(entry, path)
            if str(path) in found:
                raise UnusableArchive(f"The ZIP holds {path} twice.")
            found[str(path)] = entry
    return found


def _path_of(entry: ZipInfo) -> PurePosixPath:
    """Where the file says it lies; some Windows programs separate by backslashes."""
    path = entry.orig_filename.replace("\\", "/")
    if ELSEWHERE.match(path) or ".." in path.split("/") or len(path) > MAX_PATH_CHARS:
        raise UnusableArchive(f"The ZIP has a path that is none within it: {path[:80]!r}.")
    return PurePosixPath(path)


def is_hidden(path: PurePosixPath) -> bool:
    """Whether a program has put it there and no person."""
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


def _check(entry: ZipInfo, path: PurePosixPath) -> None:
    if entry.flag_bits & ENCRYPTED:
        raise UnusableArchive(f"{path} is encrypted; send a ZIP without a password.")
    if entry.create_system == UNIX and stat.S_ISLNK(entry.external_attr >> 16):
        raise UnusableArchive(f"{path} is a link and no image.")
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise UnusableArchive(f"{path} is compressed in a way that is not read; use deflate.")


class _ShortReads(io.RawIOBase):
    """The file, of which nothing large is read at once: a ZIP's directory is, by its own word."""

    def __init__(self, file: BinaryIO):
        self._file = file

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int | None = -1) -> bytes:
        most = MAX_DIRECTORY_BYTES if size is None or size < 0 else size
        if most > MAX_DIRECTORY_BYTES:
            raise BadZipFile(f"{size} bytes at once")
        return self._file.read(most)
