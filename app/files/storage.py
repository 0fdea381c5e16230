"""The files of all jobs, in a folder or any other place that fsspec reaches (`s3://bucket/x`).

Each place has errors of its own; here, and nowhere else, they become one of two problems:
`StorageFull`, or `StorageUnavailable` for everything else.
"""

import errno
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, cast

import fsspec

from app.files.backends import Backend, FolderBackend
from app.problems import StorageFull, StorageUnavailable

RETRY_LATER = {"Retry-After": "10"}
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
MARK = (".goodmany", "instance")


def outputs_of(attempt: str) -> str:
    """The folder that one attempt at a job writes to, and no other attempt."""
    return f"outputs/{attempt}"


class Storage:
    """Files by job and name: `inputs/000`; `archive.zip` and others in `outputs_of` an attempt.

    A job's inputs stay as long as its outputs: both go when it is deleted or expires. Every method
    raises `StorageUnavailable` when the place cannot be reached or lacks the file.

    Args:
        address: a folder or an fsspec address.

    Raises:
        RuntimeError: the package that reaches this place is not installed.
    """

    def __init__(self, address: str):
        fsspec.register_implementation(
            "s3", "app.files.s3.S3", clobber=True, errtxt="s3:// needs the extra s3: goodmany[s3]."
        )
        try:
            self.filesystem, self.root = fsspec.core.url_to_fs(address)
        except ImportError as error:
            raise RuntimeError(str(error)) from error
        is_folder = "file" in self.filesystem.protocol
        self._backend = (FolderBackend if is_folder else Backend)(self.filesystem, self.root)
        self._faults = (OSError, *getattr(self.filesystem, "faults", ()))

    def path(self, job_id: str, name: str) -> str:
        """Where the file lies in the storage's own terms."""
        return f"{self.root}/{job_id}/{name}"

    def write(self, job_id: str, name: str, content: bytes) -> None:
        """Writes a whole file, the first of its job; it is there entirely or not at all."""
        with self._problems():
            self._backend.make_job_folder(job_id)
        with self.replace(job_id, name) as file:
            file.write(content)

    @contextmanager
    def replace(self, job_id: str, name: str) -> Iterator[BinaryIO]:
        """A file to write; it gets its name when the block ends well and vanishes otherwise.

        The job's folder is there since its upload, or the place is gone.
        """
        with self._problems(), self._backend.replace(self.path(job_id, name)) as file:
            yield file

    def read(self, job_id: str, name: str) -> bytes:
        """The whole file."""
        with self._problems():
            return cast(bytes, self.filesystem.cat_file(self.path(job_id, name)))

    @contextmanager
    def open(self, job_id: str, name: str) -> Iterator[BinaryIO]:
        """The file, open for reading and able to seek; only what is read is fetched."""
        with self._problems(), self.filesystem.open(self.path(job_id, name), "rb") as file:
            yield cast(BinaryIO, file)

    def num_bytes(self, job_id: str, name: str) -> int:
        """The size of the file."""
        with self._problems():
            return cast(int, self.filesystem.size(self.path(job_id, name)))

    def names(self, job_id: str, folder: str) -> list[str]:
        """What is in one folder of a job, in order, as `folder/name`; finished files only."""
        names = sorted(self._list(self.path(job_id, folder)))
        return [f"{folder}/{name}" for name in names if not name.endswith(".part")]

    def job_ids(self) -> list[str]:
        """The names of all jobs that have files."""
        return self._list(self.root)

    def remove(self, job_id: str, name: str = "") -> None:
        """One file or folder of a job, or all of them; what is not there stays away."""
        with self._problems():
            self._backend.remove(self.path(job_id, name).rstrip("/"))

    def read_mark(self) -> str | None:
        """Whose storage this is, as `write_mark` was told; None when nobody has said so."""
        with self._problems():
            try:
                content = cast(bytes, self.filesystem.cat_file(self.path(*MARK)))
            except FileNotFoundError:
                self._backend.check_root()
                return None
            return content.decode(errors="replace")

    def write_mark(self, text: str) -> None:
        """Notes whose storage this is; all processes may do so at once."""
        with self._problems():
            self._backend.make_job_folder(MARK[0])
            part = f"{secrets.token_hex(4)}.part"
            with self._backend.replace(self.path(*MARK), part) as file:
                file.write(text.encode())

    def check(self) -> None:
        """Proves that the place can be written to."""
        name = secrets.token_hex(4)
        self.write(".check", name, b"ok")
        self.remove(".check", name)

    def _list(self, path: str) -> list[str]:
        with self._problems(), suppress(FileNotFoundError):
            found = self.filesystem.ls(path, detail=False)
            return [entry.rstrip("/").rsplit("/", 1)[1] for entry in found]
        return []

    @contextmanager
    def _problems(self) -> Iterator[None]:
        try:
            yield
        except self._faults as error:
            if getattr(error, "errno", None) in NO_ROOM:
                raise StorageFull("The storage is full.", headers=RETRY_LATER) from error
            raise StorageUnavailable("The storage is away.", headers=RETRY_LATER) from error
