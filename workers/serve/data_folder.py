"""The folder of a `goodmany serve`: one service at a time, and its Redis for whoever needs it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from workers.serve.embedded_redis import EmbeddedRedis, find_socket
from workers.serve.server_binary import EMBEDDED

REDIS_FOLDER = "redis"


class FolderInUseError(RuntimeError):
    """Another process has the folder."""


def lock_folder(folder: Path) -> TextIO:
    """Keeps every other service out of the folder for as long as the file is open.

    Raises:
        FolderInUseError: another one is in.
    """
    file = (folder / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise FolderInUseError(f"{folder} is in use by another goodmany.") from None
    return file


@contextmanager
def redis_of_folder(folder: Path, server: str = EMBEDDED) -> Iterator[str]:
    """The address of the folder's Redis: the running one, or one that runs within the block.

    Args:
        folder: of a service that has been started once.
        server: which program runs, as the setting `redis_server` has it.

    Raises:
        ValueError: no service has ever used the folder.
    """
    redis_folder = folder / REDIS_FOLDER
    if not redis_folder.is_dir():
        raise ValueError(f"{folder} is no data folder; `goodmany serve` makes one.")
    try:
        lock = lock_folder(folder)
    except FolderInUseError:
        yield f"unix://{find_socket(redis_folder)}"
        return
    with lock:
        running = EmbeddedRedis(redis_folder, server)
        try:
            yield running.url
        finally:
            running.stop()
