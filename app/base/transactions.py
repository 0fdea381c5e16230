"""Transactions that take effect once, although their answer may get lost on its way.

redis-py sends a transaction again when the connection breaks before its answer has come, and by
then Redis may have executed it. One that watches a key is not sent again; it is reported instead
(`WatchError`), and a key that the transaction itself sets tells whether it was executed.
"""

import secrets
from collections.abc import Callable

import redis
from redis.client import Pipeline

# Longer than anybody waits for a Redis that is away.
DONE_TTL_S = 3600


def execute_once(
    connection: redis.Redis, fill: Callable[[Pipeline], object], *, while_there: str | None = None
) -> bool:
    """Executes one transaction, and never twice.

    Args:
        connection: to Redis.
        fill: puts the commands into the transaction, which has begun; may be called again.
        while_there: a key without which nothing is executed.

    Returns:
        Whether it was executed.
    """
    done_key = f"goodmany:done:{secrets.token_hex(12)}"
    while True:
        with connection.pipeline() as pipeline:
            try:
                pipeline.watch(done_key, *[while_there] if while_there else [])
                if pipeline.exists(done_key):
                    return True
                if while_there and not pipeline.exists(while_there):
                    return False
                pipeline.multi()
                fill(pipeline)
                pipeline.set(done_key, 1, ex=DONE_TTL_S)
                pipeline.execute()
                return True
            except redis.exceptions.WatchError:
                continue
