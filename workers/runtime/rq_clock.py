"""RQ's clock, set by Redis's.

RQ writes down by the clock of one host when a job's heartbeat or a scheduled try is due, and
compares it with the clock of another. So a host whose clock is ahead would take the running jobs of
all others for abandoned. RQ has no setting for it: its modules have `now` by name, and here each
gets another one.
"""

import sys
from datetime import UTC, datetime, timedelta

import redis
import rq.utils

from app.base.redis_clock import redis_now

_rqs_now = rq.utils.now
_ahead = [timedelta(0)]


def follow_redis_clock(connection: redis.Redis) -> None:
    """Makes RQ in this process count Redis's time; to be called again now and then."""
    _ahead[:] = [redis_now(connection) - datetime.now(UTC)]
    for name, module in list(sys.modules.items()):
        if name.startswith("rq.") and getattr(module, "now", None) is _rqs_now:
            module.now = _now  # type: ignore[attr-defined]


def _now() -> datetime:
    return _rqs_now() + _ahead[0]
