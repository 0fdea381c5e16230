"""The one way to reach Redis, for the API and the workers alike."""

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

CONNECT_TIMEOUT_S = 2.0


def connect(redis_url: str) -> redis.Redis:
    """A client for `redis://`, `rediss://` or `unix://`; connects at the first command.

    A command is tried three times within a second, so that a broken connection is not an error to
    the caller and an absent server is told quickly.
    """
    return redis.Redis.from_url(
        redis_url,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        retry=Retry(ConstantBackoff(0.2), 2),
        health_check_interval=30,
    )
