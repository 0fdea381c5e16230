"""One model in the catalog, and the files that it is."""

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ModelFile:
    """A file, or a folder of text files, that holds a model.

    Attributes:
        path: where it lies; None on a machine that does not have it.
        digest: `sha256:...` that it must have, or `git:...` for a hub's small files; None for a
            file of the user's own, of which nobody knows what it should be.
    """

    path: Path | None
    digest: str | None = None

    @property
    def is_present(self) -> bool:
        """Whether it is there."""
        return self.path is not None and self.path.exists()

    @property
    def size_bytes(self) -> int:
        """What is there; 0 without it."""
        if self.path is None:
            return 0
        return sum(file.stat().st_size for file in _files_of(self.path))

    def measure(self) -> str:
        """The digest that it has, in the form of `digest`; sha256 where nothing is expected.

        Raises:
            RuntimeError: it is not there, or cannot be read.
        """
        if self.path is None:
            raise RuntimeError("the file is not on this machine")
        try:
            if self.path.is_dir():
                return f"sha256:{folder_digest(self.path)}"
            if self.digest is not None and self.digest.startswith("git:"):
                return f"git:{_git_digest(self.path)}"
            with self.path.open("rb") as file:
                return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        except OSError as error:
            raise RuntimeError(f"{self.path}: {error.strerror}") from error

    def check(self) -> None:
        """Reads it through; a file of which nothing is expected only has to be there.

        Raises:
            RuntimeError: it is missing, or another one; the message names it.
        """
        measured = self.measure()
        if self.digest not in (None, measured):
            raise RuntimeError(f"{self.path} has {_told(measured)}, expected {_told(self.digest)}")


@dataclass(frozen=True, kw_only=True)
class Model:
    """What stands in a manifest's `models` under `role`, and what an operator asks of it.

    Attributes:
        role: what the method calls it.
        name: which one it is.
        purpose: what it is for, as the end of a sentence.
        source: `goodmany`, a package with its version, `hub:` with a repository, or a folder.
        licence: SPDX, or None where only its publisher knows.
        files: what it is made of; none when a hub has to be asked first.
        revision: which weights: `sha256:...` of the first file, or a hub's commit; None as long as
            nobody has them.
        setting: the variable that chooses another one; None when there is no choice.
        better: a value of the setting that may do better, and why; None if nothing is known.
    """

    role: str
    name: str
    purpose: str
    source: str
    licence: str | None = None
    files: tuple[ModelFile, ...] = ()
    revision: str | None = None
    setting: str | None = None
    better: str | None = None

    @property
    def is_present(self) -> bool:
        """Whether all of it is on this machine."""
        return bool(self.files) and all(file.is_present for file in self.files)

    @property
    def is_comparable(self) -> bool:
        """Whether anybody knows what its files should be."""
        return any(file.digest is not None for file in self.files)

    @property
    def size_bytes(self) -> int:
        """Of all that is there."""
        return sum(file.size_bytes for file in self.files)

    def check(self) -> None:
        """Reads every file through.

        Raises:
            RuntimeError: one is missing or another one; the message names it.
        """
        if not self.files or any(file.path is None for file in self.files):
            raise RuntimeError(f"{self.name} is not on this machine; it comes from {self.source}")
        for file in self.files:
            file.check()


def folder_digest(folder: Path, *, without_returns: bool = True) -> str:
    """SHA-256 of a folder's text files, their names and their bytes.

    Args:
        folder: without folders in it.
        without_returns: take no notice of carriage returns at the ends of lines.
    """
    found = hashlib.sha256()
    for file in _files_of(folder):
        content = file.read_bytes()
        if without_returns:
            content = content.replace(b"\r\n", b"\n")
        found.update(file.name.encode() + b"\0" + hashlib.sha256(content).digest())
    return found.hexdigest()


def _files_of(path: Path) -> list[Path]:
    return sorted(path.iterdir()) if path.is_dir() else [path] if path.exists() else []


def _git_digest(path: Path) -> str:
    """The name that git, and a hub for its small files, gives this content."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _told(digest: str | None) -> str:
    kind, _, value = str(digest).partition(":")
    return f"{'SHA-256' if kind == 'sha256' else 'the git digest'} {value}"
