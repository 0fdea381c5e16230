"""Waiting for what is away: the work of a job is not thrown away because of a short outage."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from app.base.redis_connection import REDIS_AWAY
from app.problems import DecoderUnavailable, StorageUnavailable

log = logging.getLogger("goodmany.worker")

Answer = TypeVar("Answer")

TRY_EVERY_S = 0.5


def retry_outage(call: Callable[[], Answer], patience_s: float) -> Answer:
    """What the call returns, tried again as long as Redis, storage or decoder is away or full.

    Args:
        call: may be done twice.
        patience_s: when it is over, the outage is raised as it is.
    """
    give_up = time.monotonic() + patience_s
    while True:
        try:
            return call()
        except (*REDIS_AWAY, StorageUnavailable, DecoderUnavailable) as error:
            if time.monotonic() > give_up:
                raise
            log.warning("waiting: %s", error)
            time.sleep(TRY_EVERY_S)
