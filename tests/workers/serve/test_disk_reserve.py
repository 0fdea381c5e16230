"""Room that is held, given up when the disk is full, and held again when there is room."""

import contextlib
import os
from pathlib import Path

import pytest

from workers.serve.disk_reserve import DiskReserve

RESERVE_BYTES = 256 * 1024


def leave(disk: Path, num_bytes: int) -> None:
    """Has a file take the rest of the disk, but for so much."""
    filler = disk / "filler"
    filler.unlink(missing_ok=True)
    rest = free(disk) - num_bytes
    # Whatever else writes to the disk may have taken of it meanwhile.
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while rest > 0:
            rest -= file.write(bytes(rest))


def free(disk: Path) -> int:
    room = os.statvfs(disk)
    return room.f_bavail * room.f_frsize


def test_it_takes_its_room_and_gives_it_up_when_there_is_no_other(small_disk: Path):
    reserve = DiskReserve(small_disk, RESERVE_BYTES)
    before = free(small_disk)
    assert not reserve.look()
    assert before - free(small_disk) >= RESERVE_BYTES

    leave(small_disk, RESERVE_BYTES // 2)
    assert not reserve.look()
    leave(small_disk, RESERVE_BYTES // 2 - 8192)
    assert reserve.look()
    assert free(small_disk) >= RESERVE_BYTES
    assert reserve.has_some_room()
    # What has been given up is not taken back from whoever needs it.
    assert reserve.look()
    assert free(small_disk) >= RESERVE_BYTES

    leave(small_disk, 0)
    assert reserve.look()
    assert not reserve.has_some_room()
    leave(small_disk, 2 * RESERVE_BYTES - 8192)
    assert reserve.look()
    leave(small_disk, 2 * RESERVE_BYTES)
    assert not reserve.look()
    assert free(small_disk) <= RESERVE_BYTES


def test_a_disk_that_was_full_at_the_start_is_full(small_disk: Path):
    leave(small_disk, 0)
    assert DiskReserve(small_disk, RESERVE_BYTES).look()
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


@pytest.mark.parametrize("num_bytes", [0, 1000, 2 * 2**20 + 7])
def test_it_is_as_large_as_the_setting_says(tmp_path: Path, num_bytes: int):
    DiskReserve(tmp_path, 5000).look()
    reserve = DiskReserve(tmp_path, num_bytes)
    assert not reserve.look()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == num_bytes
