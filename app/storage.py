"""The files of all jobs, in a folder or any other place that fsspec reaches (`s3://bucket/x`)."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

import fsspec


def outputs_of(attempt: str) -> str:
    """The folder that one attempt at a job writes to, and no other attempt."""
    return f"outputs/{attempt}"


class Storage:
    """Files by job and name: `inputs/000`; `archive.zip` and others in `outputs_of` an attempt.

    A job's inputs stay as long as its outputs: both go when it is deleted or expires.
    """

    def __init__(self, place: str):
        self.filesystem, self.root = fsspec.core.url_to_fs(place)

    def path(self, job_id: str, name: str) -> str:
        """Where the file lies in the storage's own terms."""
        return f"{self.root}/{job_id}/{name}"

    def write(self, job_id: str, name: str, content: bytes) -> None:
        """Writes a whole file; it is there entirely or not at all."""
        with self.replace(job_id, name) as file:
            file.write(content)

    @contextmanager
    def replace(self, job_id: str, name: str) -> Iterator[BinaryIO]:
        """A file to write; it gets its name when the block ends well and vanishes otherwise."""
        path = self.path(job_id, name)
        part = f"{path}.{secrets.token_hex(4)}.part"
        self.filesystem.makedirs(self.filesystem._parent(path), exist_ok=True)
        try:
            with self.filesystem.open(part, "wb") as file:
                yield cast(BinaryIO, file)
            self.filesystem.mv(part, path)
        except BaseException:
            if self.filesystem.exists(part):
                self.filesystem.rm_file(part)
            raise

    def read(self, job_id: str, name: str) -> bytes:
        """The whole file.

        Raises:
            FileNotFoundError: there is none.
        """
        return cast(bytes, self.filesystem.cat_file(self.path(job_id, name)))

    def open(self, job_id: str, name: str) -> BinaryIO:
        """The file, open for reading and able to seek."""
        return cast(BinaryIO, self.filesystem.open(self.path(job_id, name), "rb"))

    def num_bytes(self, job_id: str, name: str) -> int:
        """The size of the file.

        Raises:
            FileNotFoundError: there is none.
        """
        return cast(int, self.filesystem.size(self.path(job_id, name)))

    def names(self, job_id: str, folder: str) -> list[str]:
        """The finished files of one folder of a job, in order, as `folder/name`."""
        found = self.filesystem.ls(self.path(job_id, folder), detail=False)
        names = sorted(path.rsplit("/", 1)[1] for path in found)
        return [f"{folder}/{name}" for name in names if not name.endswith(".part")]

    def job_ids(self) -> list[str]:
        """The names of all jobs that have files, and of nothing else than folders."""
        if not self.filesystem.exists(self.root):
            return []
        found = self.filesystem.ls(self.root, detail=False)
        return [path.rstrip("/").rsplit("/", 1)[1] for path in found]

    def remove(self, job_id: str, name: str | None = None) -> None:
        """One file or folder of a job, or all of them; what is not there stays away."""
        path = self.path(job_id, name) if name else f"{self.root}/{job_id}"
        if self.filesystem.exists(path):
            self.filesystem.rm(path, recursive=True)

    def check(self) -> None:
        """Proves that the place can be written to.

        Raises:
            OSError: it cannot.
        """
        name = secrets.token_hex(4)
        self.write(".check", name, b"ok")
        self.remove(".check", name)
