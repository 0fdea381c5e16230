"""The file that a command writes: it can be written is known before the work, not after it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from workers.cli.failures import FileError


@contextmanager
def open_output(path: Path) -> Iterator[BinaryIO]:
    """A file that gets its name when the block ends well, and is not there otherwise.

    Missing folders are made. What is no ordinary file, such as /dev/stdout, is written to directly.

    Raises:
        FileError: it cannot be written; before the block begins.
    """
    if path.is_dir():
        raise FileError(f"{path} is a folder; --out names the ZIP to write.")
    is_special = path.exists() and not path.is_file()
    part = path if is_special else path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = part.open("wb" if is_special else "w+b")
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}.") from error
    try:
        with file:
            yield file
        if not is_special:
            part.replace(path)
    except BaseException:
        if not is_special:
            with suppress(OSError):
                part.unlink()
        raise
