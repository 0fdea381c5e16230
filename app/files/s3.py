"""S3 for fsspec, on obstore: when to give up, how to upload and how to remove is decided here.

Endpoint, region and credentials come from the standard variables (`AWS_ENDPOINT_URL`,
`AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`) or, where there
are none, from the machine's role. Nothing is remembered between calls, neither listings nor sizes,
so that what one process writes is seen by all others at once.

obstore brings a file system of its own, but an asynchronous one: its threads may call into Python
while the process ends, which aborts it.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from fsspec.spec import AbstractBufferedFile, AbstractFileSystem
from obstore.exceptions import (
    BaseError,
    GenericError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import S3Store

# Up to this size a file is one PUT, which leaves nothing behind when its process is killed. The
# parts of a larger one would stay, unseen, until a rule of the bucket removes them.
PART_BYTES = 64 * 2**20
NUM_PARTS_AT_ONCE = 2
# What is fetched at once of a file that is read here and there.
BLOCK_BYTES = 256 * 2**10
PAGE_OBJECTS = 1000
REFUSED, MISSING = "status code: 403", "status code: 404"


@lru_cache(maxsize=16)
def _open_bucket(name: str) -> S3Store:
    return S3Store(
        name,
        # The endpoint says whether it is http or https.
        client_options={"allow_http": True, "connect_timeout": "3s", "timeout": "60s"},
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=10)},
    )


class S3(AbstractFileSystem):
    """Objects of any bucket as `bucket/key`, from any number of threads."""

    protocol = "s3"
    root_marker = ""
    # What is raised here beside OSError.
    faults: ClassVar[tuple[type[Exception], ...]] = (BaseError,)
    # It is not there, or not for us: S3 tells the one from the other only to those who may list.
    refusals: ClassVar[tuple[type[Exception], ...]] = (
        FileNotFoundError,
        NotFoundError,
        PermissionDeniedError,
        UnauthenticatedError,
    )

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Name and size of an object.

        Raises:
            FileNotFoundError: there is none.
        """
        bucket, key = _split(path)
        return {"name": path, "type": "file", "size": _open_bucket(bucket).head(key)["size"]}

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        """The objects and common prefixes one level below the path."""
        bucket, prefix = _split(path)
        found = _open_bucket(bucket).list_with_delimiter(prefix)
        entries = [
            {"name": f"{bucket}/{entry['path']}", "type": "file", "size": entry["size"]}
            for entry in found["objects"]
        ] + [
            {"name": f"{bucket}/{name}", "type": "directory", "size": 0}
            for name in found["common_prefixes"]
        ]
        return entries if detail else [entry["name"] for entry in entries]

    def walk_files(self, path: str) -> Iterator[tuple[str, int]]:
        """Path and size of every object below, page by page as they are asked for.

        Raises:
            FileNotFoundError: there is no such bucket, or none that may be listed.
        """
        bucket, prefix = _split(path)
        pages = _open_bucket(bucket).list(prefix, chunk_size=PAGE_OBJECTS)
        try:
            for page in pages:
                for entry in page:
                    yield f"{bucket}/{entry['path']}", entry["size"]
        except GenericError as error:
            # Of a list it is told in no other way.
            if REFUSED in str(error) or MISSING in str(error):
                raise FileNotFoundError(path) from error
            raise

    def cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **_: Any
    ) -> bytes:
        """The object, or the bytes from `start` up to `end`, in one request."""
        bucket, key = _split(path)
        store = _open_bucket(bucket)
        if start is None or end is None:
            return store.get(key).bytes().to_bytes()
        return store.get_range(key, start=start, end=end).to_bytes() if end > start else b""

    def put_file(self, lpath: str, rpath: str, **_: Any) -> None:
        """Uploads a file; it is seen only when it is whole."""
        bucket, key = _split(rpath)
        _open_bucket(bucket).put(
            key, Path(lpath), chunk_size=PART_BYTES, max_concurrency=NUM_PARTS_AT_ONCE
        )

    def rm(self, path: str, **_: Any) -> None:
        """Removes the object and everything below the path, in as few requests as it takes."""
        bucket, prefix = _split(path)
        store = _open_bucket(bucket)
        keys = [entry["path"] for page in store.list(prefix) for entry in page]
        store.delete([*keys, prefix])

    def _open(
        self, path: str, mode: str = "rb", block_size: int | None = None, **_: Any
    ) -> "S3File":
        return S3File(self, path, mode, block_size or BLOCK_BYTES, cache_type="readahead")


class S3File(AbstractBufferedFile):
    """An object to read in places."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        bucket, key = _split(self.path)
        return _open_bucket(bucket).get_range(key, start=start, end=end).to_bytes()


def _split(path: str) -> tuple[str, str]:
    bucket, _, key = path.partition("/")
    return bucket, key
