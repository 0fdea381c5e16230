"""The one way to reach Redis, for the API and the workers alike.

A Redis that answers may still refuse to work: a replica after a failover, one without memory or
disk, one that still loads its file. To whoever calls, that is the same as a Redis that is away,
with another sentence: it passes, nothing was done, and on another connection it may be over by now.
"""

import logging
import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

import redis
from redis.backoff import ConstantBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,
    ResponseError,
    TimeoutError,
    WatchError,
)
from redis.retry import Retry

log = logging.getLogger("goodmany")

CONNECT_TIMEOUT_S = 2.0
# A command takes milliseconds; one that gets no answer for this long will get none.
ANSWER_TIMEOUT_S = 5.0
TRY_EVERY_S = 0.2
TRIES = 3
TELL_EVERY_S = 30.0
REDIS_AWAY = (ConnectionError, TimeoutError)
"""What a command raises when there is no server, or none that answers, or one that refuses."""

REFUSALS = {
    "READONLY": "Redis is a read-only replica.",
    "OOM": "Redis is out of memory.",
    "MISCONF": "Redis cannot write to its disk.",
    "LOADING": "Redis is still loading its data.",
    "BUSY": "Redis is busy with a script.",
    "NOREPLICAS": "Redis lacks the replicas that it must write to.",
    "MASTERDOWN": "Redis is a replica without its master.",
    "UNBLOCKED": "Redis is failing over.",
    "CLUSTERDOWN": "Redis is a cluster that is down.",
    "TRYAGAIN": "Redis is a cluster that is being rearranged.",
    "NOAUTH": "Redis asks for a password.",
    "WRONGPASS": "Redis does not know this password.",
    "NOPERM": "Redis does not let this user do that.",
}
# At the beginning of the answer, or within it where a script was refused.
REFUSAL = re.compile(rf"(?:^|\s)-?({'|'.join(REFUSALS)})\b")

Answer = TypeVar("Answer")


class RefusedError(ConnectionError):
    """Redis has refused a command because of its own state; the message is a sentence."""


def redis_fault(error: Exception) -> str | None:
    """One sentence on the state of Redis; None when the error says nothing of it."""
    if isinstance(error, RefusedError):
        return str(error)
    if isinstance(error, TimeoutError):
        return "Redis does not answer in time."
    if isinstance(error, BusyLoadingError):
        return REFUSALS["LOADING"]
    if isinstance(error, AuthenticationError):
        return REFUSALS["NOAUTH" if error.status_code == "NOAUTH" else "WRONGPASS"]
    if isinstance(error, ConnectionError):
        return "Redis is away."
    found = REFUSAL.search(f"{getattr(error, 'status_code', None) or ''} {error}".strip())
    return REFUSALS[found[1]] if found else None


def connect(redis_url: str, *, patience_s: float = 0.0) -> redis.Redis:
    """A client for `redis://`, `rediss://` or `unix://`; connects at the first command.

    A broken connection is not an error to the caller: a command is tried three times within half a
    second. A server that is absent, does not answer or refuses is told within seconds, unless one
    is patient.

    Args:
        redis_url: where the server is.
        patience_s: how long a command waits for an absent server to come back; `inf` for ever.
    """
    return redis.Redis.from_url(
        redis_url,
        connection_class=CONNECTIONS[redis_url.partition(":")[0]],
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_timeout=ANSWER_TIMEOUT_S,
        retry=OutageRetry(patience_s),
        health_check_interval=30,
    )


class OutageRetry(Retry):
    """Tries a command again while Redis is away: three times, or for as long as one is patient.

    Without patience a server that does not answer in time is not asked again.

    Args:
        patience_s: 0 for three times.
    """

    def __init__(self, patience_s: float):
        super().__init__(
            ConstantBackoff(TRY_EVERY_S),
            TRIES - 1,
            supported_errors=REDIS_AWAY if patience_s else (ConnectionError,),
        )
        self.patience_s = patience_s

    def call_with_retry(
        self,
        do: Callable[[], Answer],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> Answer:
        """What `do` returns; `fail` is told of each failure before the next try."""
        start = next_word = time.monotonic()
        failures = 0
        while True:
            try:
                return do()
            except self._supported_errors as error:
                if is_retryable is not None and not is_retryable(error):
                    raise
                failures += 1
                try:
                    fail(error, failures) if with_failure_count else fail(error)
                except WatchError:
                    # The transaction begins anew: at once when the connection broke. A refusal
                    # would be met again at once.
                    if isinstance(error, RefusedError):
                        if not self.patience_s:
                            raise error from None
                        time.sleep(TRY_EVERY_S)
                    raise
                if self._is_over(failures, time.monotonic() - start):
                    raise
                if self.patience_s and time.monotonic() >= next_word:
                    log.warning("waiting: %s", redis_fault(error) or error)
                    next_word = time.monotonic() + TELL_EVERY_S
                time.sleep(TRY_EVERY_S)

    def _is_over(self, failures: int, waited_s: float) -> bool:
        return waited_s >= self.patience_s if self.patience_s else failures >= TRIES


class _Refusing:
    """A connection on which a refusal is an outage and not an answer."""

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]
        except (ResponseError, BusyLoadingError) as error:
            if (fault := redis_fault(error)) is None:
                raise
            raise RefusedError(fault) from error


class _TcpConnection(_Refusing, redis.Connection):
    """`redis://`."""


class _TlsConnection(_Refusing, redis.SSLConnection):
    """`rediss://`."""


class _SocketConnection(_Refusing, redis.UnixDomainSocketConnection):
    """`unix://`."""


CONNECTIONS = {"redis": _TcpConnection, "rediss": _TlsConnection, "unix": _SocketConnection}
