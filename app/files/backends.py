"""How a whole file appears in a storage and how files go: in a folder, and everywhere else."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, cast


class Backend:
    """A place where an upload is seen only when it is whole, as on any object store.

    Args:
        filesystem: fsspec's, for this place.
        root: the path in it under which everything lies.
    """

    def __init__(self, filesystem: Any, root: str):
        self.filesystem, self.root = filesystem, root

    def make_job_folder(self, job_id: str) -> None:
        """Nothing: a path is only a name here."""

    def check_root(self) -> None:
        """Nothing: what cannot be reached has said so."""

    @contextmanager
    def replace(self, path: str, part: str = "part") -> Iterator[BinaryIO]:  # noqa: ARG002
        """A local file to write; it is uploaded when the block ends well."""
        with tempfile.NamedTemporaryFile() as spool:
            yield cast(BinaryIO, spool)
            spool.flush()
            self.filesystem.put_file(spool.name, path)

    def remove(self, path: str) -> None:
        """Removes the file, or everything below the path."""
        with suppress(FileNotFoundError):
            self.filesystem.rm(path, recursive=True)


class FolderBackend(Backend):
    """A folder, where a rename is what makes a file appear at once.

    What was written is on the disk before it is told to be: a power cut takes nothing back. Files
    are for their owner alone.

    A root that was there and is missing is a disk that is not mounted any more: nothing is written
    to where it was, and nothing counts as removed.
    """

    def __init__(self, filesystem: Any, root: str):
        super().__init__(filesystem, root)
        self.has_root = Path(root).is_dir()

    def check_root(self) -> None:
        """Makes sure that a root that was there is there.

        Raises:
            FileNotFoundError: it is not.
        """
        self.has_root = self.has_root or Path(self.root).is_dir()
        if self.has_root:
            Path(self.root).stat()

    def make_job_folder(self, job_id: str) -> None:
        """Makes the folder that a job's files go to."""
        if not self.has_root:
            Path(self.root).mkdir(mode=0o700, parents=True, exist_ok=True)
            self.has_root = True
        _make_folder(Path(self.root, job_id))

    @contextmanager
    def replace(self, path: str, part: str = "part") -> Iterator[BinaryIO]:
        """A file beside its place, renamed when the block ends well and removed otherwise.

        Where it cannot be removed, as the disk is away, the next try writes over it.

        Args:
            path: its place.
            part: how its name ends until then; of several writers each needs another.
        """
        unfinished = Path(f"{path}.{part}")
        job_id, *folders = Path(path).relative_to(self.root).parent.parts
        for depth in range(len(folders)):
            _make_folder(Path(self.root, job_id, *folders[: depth + 1]))
        try:
            with open(unfinished, "wb", opener=_open_for_owner) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
            _sync_folder(unfinished.parent)
        except BaseException:
            with suppress(FileNotFoundError):
                unfinished.unlink()
            raise

    def remove(self, path: str) -> None:
        """Removes the file, or the folder with everything in it."""
        try:
            if Path(path).is_dir():
                shutil.rmtree(path)
            else:
                Path(path).unlink()
        except FileNotFoundError:
            self.check_root()


def _make_folder(folder: Path) -> None:
    """Makes the folder, for its owner alone, so that a power cut leaves it there."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Puts the names in the folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open_for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
