"""The one way to reach Redis, for the API and the workers alike."""

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

CONNECT_TIMEOUT_S = 2.0
# A command takes milliseconds; one that gets no answer for this long will get none.
ANSWER_TIMEOUT_S = 5.0
TRY_EVERY_S = 0.2
TRIES = 3
REDIS_AWAY = (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError)
"""What a command raises when there is no server, or none that answers."""


def connect(redis_url: str, *, patience_s: float = 0.0) -> redis.Redis:
    """A client for `redis://`, `rediss://` or `unix://`; connects at the first command.

    A broken connection is not an error to the caller: a command is tried three times within half a
    second. A server that is absent or does not answer is told within seconds, unless one is
    patient.

    Args:
        redis_url: where the server is.
        patience_s: how long a command waits for an absent server to come back.
    """
    errors = REDIS_AWAY if patience_s else (redis.exceptions.ConnectionError,)
    tries = max(TRIES, round(patience_s / TRY_EVERY_S))
    return redis.Redis.from_url(
        redis_url,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_timeout=ANSWER_TIMEOUT_S,
        retry=Retry(ConstantBackoff(TRY_EVERY_S), tries - 1, supported_errors=errors),
        health_check_interval=30,
    )
