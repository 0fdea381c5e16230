"""The one clock of the service: Redis's. Clocks of hosts may be days apart.

Whatever one host writes and another compares (when a job expires, when an id was made, until when a
worker counts as alive) is a time of this clock.
"""

from datetime import UTC, datetime

import redis


def redis_time(connection: redis.Redis) -> float:
    """Seconds since 1970."""
    return seconds_of(connection.time())


def redis_now(connection: redis.Redis) -> datetime:
    """The same, in UTC."""
    return datetime.fromtimestamp(redis_time(connection), UTC)


def seconds_of(answer: tuple[int, int]) -> float:
    """What Redis answers to TIME (seconds, microseconds), in seconds."""
    seconds, microseconds = answer
    return seconds + microseconds / 1e6
