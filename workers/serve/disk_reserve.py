"""Room that is held on a disk, to be given up when there is no other."""

import os
import shutil
import sys
from pathlib import Path

FILE_NAME = "reserve"


class DiskReserve:
    """A file that does nothing but take its room.

    A disk is full when less than half the reserve is free beside it; then the reserve is given up.
    It is full until twice the reserve is free, and then the reserve is held again.

    Args:
        folder: on the disk.
        num_bytes: how much is held; 0 holds nothing and calls no disk full.
    """

    def __init__(self, folder: Path, num_bytes: int):
        self.file, self.num_bytes = folder / FILE_NAME, num_bytes
        if self.file.exists() and self.file.stat().st_size != num_bytes:
            self.give_up()

    def look(self) -> bool:
        """Whether the disk is full; holds the reserve or gives it up accordingly."""
        if not self.num_bytes:
            return False
        if self.file.exists():
            if self._free() >= self.num_bytes // 2:
                return False
            self.give_up()
            return True
        return self._free() < 2 * self.num_bytes or not self._hold()

    def give_up(self) -> None:
        """Leaves the room to others, until the next look finds more."""
        self.file.unlink(missing_ok=True)

    def has_some_room(self) -> bool:
        """Whether it is worth starting what writes to the disk."""
        return self._free() >= self.num_bytes // 8

    def _free(self) -> int:
        return shutil.disk_usage(self.file.parent).free

    def _hold(self) -> bool:
        """False when the room is not there after all; so a quota shows."""
        try:
            with self.file.open("wb") as file:
                if sys.platform == "linux":
                    os.posix_fallocate(file.fileno(), 0, self.num_bytes)
                else:
                    file.write(bytes(self.num_bytes))
        except OSError:
            self.give_up()
            return False
        return True
