"""From what a person names to image files: files, folders, patterns."""

import glob
from collections.abc import Iterable
from pathlib import Path

# By these a folder's images are known; a file that is named itself may be called anything.
SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".jpe", ".bmp", ".tif", ".tiff", ".webp"))


def find_images(names: Iterable[str]) -> list[Path]:
    """The files: those that were named, the images of each folder, what a pattern stands for.

    Each file once, in the order of the names; those of a folder or a pattern by their name.

    Raises:
        FileNotFoundError: there is no such file, or no image in a folder or behind a pattern.
        ValueError: no image was named at all.
    """
    found: dict[Path, None] = {}
    for name in names:
        found.update(dict.fromkeys(_expand(name)))
    if not found:
        raise ValueError("Name at least one image.")
    return list(found)


def _expand(name: str) -> list[Path]:
    path = Path(name).expanduser()
    if path.is_dir():
        return _images_of(path)
    if path.exists():
        return [path]
    if not glob.has_magic(name):
        raise FileNotFoundError(f"There is no file {name}.")
    found = glob.glob(str(path), recursive=True)  # noqa: PTH207, a pattern may begin anywhere
    matches = [Path(match) for match in sorted(found)]
    files = [match for match in matches if match.is_file()]
    if not files:
        raise FileNotFoundError(f"No file matches {name}.")
    return files


def _images_of(folder: Path) -> list[Path]:
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    images = [entry for entry in entries if entry.suffix.lower() in SUFFIXES and entry.is_file()]
    if not images:
        known = ", ".join(sorted(SUFFIXES))
        raise FileNotFoundError(f"The folder {folder} holds no image ({known}).")
    return images
