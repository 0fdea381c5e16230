"""A folder for the temporary files of a process, so that a killed one leaves none for ever.

Each process has a folder of its own below a common one, and holds a lock on it as long as it lives.
Whoever comes next removes the folders that nobody holds.
"""

import fcntl
import logging
import os
import shutil
import tempfile
from pathlib import Path

from app.settings import Settings

log = logging.getLogger("goodmany")

LOCK_NAME = "lock"

# Descriptors, open as long as the process lives.
_held: list[int] = []


def use_spool(folder: Path) -> None:
    """Lets all temporary files of this process, and of those that it starts, go below the folder.

    Where that cannot be written, they go where the system has them.

    Args:
        folder: for any number of processes; made when it is not there.
    """
    try:
        own = _make_own(folder)
    except OSError as error:
        log.warning("temporary files go to %s: %s", tempfile.gettempdir(), error)
        return
    tempfile.tempdir = os.environ["TMPDIR"] = str(own)


def spool_folder(settings: Settings) -> Path:
    """Where the processes of this service have their temporary files.

    In the data folder; where a process has none, as its storage is elsewhere, in the system's place
    for such files.
    """
    if not settings.storage_url or settings.data_dir.is_dir():
        return settings.data_dir / "tmp"
    return Path(tempfile.gettempdir()) / f"goodmany-{os.getuid()}"


def _make_own(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} is somebody else's")
    with (folder / LOCK_NAME).open("w") as gate:
        # Nobody may take a folder away between its making and its lock.
        fcntl.flock(gate, fcntl.LOCK_EX)
        for other in folder.iterdir():
            if other.is_dir() and _is_abandoned(other):
                shutil.rmtree(other, ignore_errors=True)
        own = Path(tempfile.mkdtemp(dir=folder)).absolute()
        lock = os.open(own / LOCK_NAME, os.O_WRONLY | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        _held.append(lock)
    return own


def _is_abandoned(other: Path) -> bool:
    with (other / LOCK_NAME).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
