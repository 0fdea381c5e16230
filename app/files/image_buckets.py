"""Images that a request names by an address in a bucket, where the operator allows it.

S3 is all there is: no other scheme, no other host than the operator's endpoint, nothing above or
beside the allowed places. What is named is read with the service's own rights.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from app.base.s3_address import S3Address
from app.files.image_archive import SUFFIXES, is_hidden
from app.files.image_file import ImageFile, naming, open_images
from app.files.image_room import ImageRoom
from app.files.storage import RETRY_LATER
from app.problems import (
    InvalidRequest,
    NoImages,
    StorageUnavailable,
    TooManyImages,
    UnreadableImages,
)
from app.settings import Settings

FIELD = "images_url"
# Beside the images; whoever lists a whole archive of a line would be at it for minutes.
MAX_LISTED = 10_000
# What is fetched at once of a ZIP.
BLOCK_BYTES = 4 * 2**20


class ImageBuckets:
    """The places from which images may be taken.

    Args:
        settings: `images_url_prefixes` says which; none, and nothing is ever asked of a bucket.

    Raises:
        RuntimeError: there are some, and the package that reaches them is not installed.
    """

    def __init__(self, settings: Settings):
        self._places = settings.images_url_places
        if self._places:
            try:
                from app.files.s3 import S3  # noqa: PLC0415, obstore is an extra's
            except ImportError as error:
                raise RuntimeError("images_url needs the extra s3: goodmany[s3].") from error
            self._filesystem: Any = S3(skip_instance_cache=True)

    def check(self, url: str) -> S3Address:
        """The address, if images may be taken from there.

        Raises:
            InvalidRequest: it is none, or not allowed.
        """
        if not self._places:
            raise _invalid("not_allowed", "this service takes no images from a bucket")
        try:
            address = S3Address.parse(url)
        except ValueError as error:
            raise _invalid("s3_address", str(error)) from None
        if not any(address.is_within(place) for place in self._places):
            raise _invalid("not_allowed", "is not where this service may take images from")
        return address

    def open(self, url: str, room: ImageRoom) -> Iterator[ImageFile]:
        """The images at the address: all below it, in the order of their names, or the one object.

        Raises:
            InvalidRequest: as `check`.
            UnusableImage: there is none, it may not be read, or there are too many.
            UploadTooLarge: together they are too many bytes.
            StorageUnavailable: the bucket does not answer.
        """
        address = self.check(url)
        if address.is_folder:
            yield from self._open_folder(address, room)
            return
        with naming(FIELD), self._told(url):
            file = cast(BinaryIO, self._filesystem.open(address.path, "rb", BLOCK_BYTES))
        with file, self._told(url):
            for found in open_images(FIELD, file, room):
                yield ImageFile(found.name, partial(self._read, url, found))

    def _open_folder(self, address: S3Address, room: ImageRoom) -> Iterator[ImageFile]:
        url = f"s3://{address.path}/"
        with naming(FIELD):
            with self._told(url):
                sizes = self._list(address, room.num_images)
            if not sizes:
                raise NoImages(f"Below {url} there is no image ({', '.join(sorted(SUFFIXES))}).")
            room.take(list(sizes.values()))
        for name, num_bytes in sorted(sizes.items()):
            path = f"{address.path}/{name}"
            read = partial(self._filesystem.cat_file, path, 0, num_bytes)
            yield ImageFile(f"{FIELD}/{name}", partial(self._read, path, ImageFile(name, read)))

    def _list(self, address: S3Address, max_images: int) -> dict[str, int]:
        """The images below the address by their names there, and their bytes."""
        sizes: dict[str, int] = {}
        for number, (path, num_bytes) in enumerate(self._filesystem.walk_files(address.path)):
            name = PurePosixPath(path).relative_to(address.path)
            if name.suffix.lower() in SUFFIXES and not is_hidden(name):
                sizes[str(name)] = num_bytes
            if len(sizes) > max_images or number >= MAX_LISTED:
                raise TooManyImages(
                    f"Below s3://{address.path}/ are more than {max_images} images, or more than "
                    f"{MAX_LISTED} objects; name a narrower place."
                )
        return sizes

    def _read(self, url: str, file: ImageFile) -> bytes:
        with self._told(url):
            return file.read()

    @contextmanager
    def _told(self, url: str) -> Iterator[None]:
        """Turns what S3 says into a problem."""
        try:
            yield
        except self._filesystem.refusals as error:
            raise UnreadableImages(
                f"There is no {url} that this service may read; all images below a place are meant "
                "by a / at its end."
            ) from error
        except self._filesystem.faults as error:
            raise StorageUnavailable("The bucket is away.", headers=RETRY_LATER) from error


def _invalid(code: str, detail: str) -> InvalidRequest:
    error = {"field": FIELD, "code": code, "detail": detail}
    return InvalidRequest(f"Not valid: {FIELD}. {detail}", errors=[error])
