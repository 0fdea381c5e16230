"""From what was named at the command line to image files."""

import glob
from collections.abc import Iterable
from pathlib import Path

from workers.cli.failures import FileError, UsageError

# By these a folder's images are known; a file that is named itself may be called anything.
SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".jpe", ".bmp", ".tif", ".tiff", ".webp"))


def find_images(names: Iterable[str]) -> list[Path]:
    """The files: those that were named, the images of each folder, what a pattern stands for.

    In the order of the names; those of a folder or a pattern by their own, and without files that
    are there already.

    Raises:
        FileError: there is no such file, or no image in a folder or behind a pattern.
        UsageError: no image was named at all.
    """
    found: list[Path] = []
    for name in names:
        path = Path(name).expanduser()
        if path.is_file():
            found.append(path)
        else:
            known = {file.absolute() for file in found}
            found += [file for file in _expand(path, name) if file.absolute() not in known]
    if not found:
        raise UsageError("Name at least one image.")
    return found


def _expand(path: Path, name: str) -> list[Path]:
    if path.is_dir():
        return _images_of(path)
    if path.exists():
        # A pipe, a device.
        return [path]
    if not glob.has_magic(name):
        raise FileError(f"There is no file {name}.")
    found = glob.glob(str(path), recursive=True)  # noqa: PTH207, a pattern may begin anywhere
    matches = [Path(match) for match in sorted(found)]
    files = [match for match in matches if match.is_file()]
    if not files:
        raise FileError(f"No file matches {name}.")
    return files


def _images_of(folder: Path) -> list[Path]:
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    images = [entry for entry in entries if entry.suffix.lower() in SUFFIXES and entry.is_file()]
    if not images:
        raise FileError(f"The folder {folder} holds no image ({', '.join(sorted(SUFFIXES))}).")
    return images
