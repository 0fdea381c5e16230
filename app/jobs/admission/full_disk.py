"""Whether the disk under Redis is full: then no job is accepted, and those that are get finished.

    goodmany:full-disk   string, there as long as it is so

`goodmany serve` keeps it, for every process that accepts jobs.
"""

import redis

from app.problems import StorageFull

FULL_DISK_KEY = "goodmany:full-disk"
RETRY_LATER = {"Retry-After": "10"}


def note_full_disk(connection: redis.Redis, *, is_full: bool) -> None:
    """Says how it is from now on."""
    if is_full:
        connection.set(FULL_DISK_KEY, 1)
    else:
        connection.delete(FULL_DISK_KEY)


def refuse_on_full_disk(connection: redis.Redis) -> None:
    """Nothing, as long as there is room.

    Raises:
        StorageFull: there is none.
    """
    if connection.exists(FULL_DISK_KEY):
        raise StorageFull(
            "The disk is full; no job is accepted until there is room.", headers=RETRY_LATER
        )
