"""Jobs that fail in every way, to be run by the real warm worker.

Each notes the process that it runs in, so that a test can tell one child from the next.
"""

import os
import time
from collections.abc import Callable
from functools import partial

from app.base.redis_connection import connect
from app.jobs.store import JobStore
from app.problems import TooFewImages
from app.settings import Settings

CHILD_KEY = "test:child-pids"
# What the rest of the models waits for.
REST_KEY = "test:rest"

_store: list[JobStore] = []


def load_nothing(settings: Settings) -> None:
    _store[:] = [JobStore(connect(settings.redis_url), settings)]


def load_in_vain(settings: Settings) -> None:
    raise RuntimeError(f"There is no model in {settings.vqgan}.")


def crash_while_loading(settings: Settings) -> None:
    os._exit(7)


def load_rest_later(settings: Settings) -> Callable[[], None]:
    """The rest is loaded when a test says so."""
    load_nothing(settings)
    return _wait_for_leave


def load_rest_in_vain(settings: Settings) -> Callable[[], None]:
    load_nothing(settings)
    return partial(_fail, settings)


def crash_in_the_rest(settings: Settings) -> Callable[[], None]:
    load_nothing(settings)
    return _crash


def _wait_for_leave() -> None:
    (store,) = _store
    while not store.connection.exists(REST_KEY):
        time.sleep(0.05)
    store.connection.rpush(CHILD_KEY, "loaded")


def _fail(settings: Settings) -> None:
    _wait_for_leave()
    load_in_vain(settings)


def _crash() -> None:
    _wait_for_leave()
    os._exit(7)


def _begin(job_id: str) -> JobStore:
    (store,) = _store
    store.start(job_id, "attempt")
    store.connection.rpush(CHILD_KEY, os.getpid())
    return store


def succeed(job_id: str) -> None:
    _begin(job_id).succeed(job_id, "attempt", {"num_images": "3"})


def fail(job_id: str) -> None:
    _begin(job_id)
    raise ZeroDivisionError("the secret reason")


def fail_with_problem(job_id: str) -> None:
    _begin(job_id)
    raise TooFewImages("2 of 5 images passed.")


def hang(job_id: str) -> None:
    """Never looks at its record; only a kill ends it."""
    _begin(job_id)
    while True:
        time.sleep(0.05)


def hang_once(job_id: str) -> None:
    store = _begin(job_id)
    while store.connection.llen(CHILD_KEY) == 1:
        time.sleep(0.05)
    store.succeed(job_id, "attempt", {"num_images": "3"})


def hang_second(job_id: str) -> None:
    """The second attempt of all jobs hangs; all others succeed."""
    store = _begin(job_id)
    while store.connection.llen(CHILD_KEY) == 2:
        time.sleep(0.05)
    store.succeed(job_id, "attempt", {"num_images": "3"})


def ignore_timeout(job_id: str) -> None:
    """Swallows the exception of the child's own timeout."""
    _begin(job_id)
    while True:
        try:
            time.sleep(0.05)
        except Exception:
            continue


def exit_child(job_id: str) -> None:
    _begin(job_id)
    os._exit(3)


def look_and_stop(job_id: str) -> None:
    """Works until its record says that it must not."""
    store = _begin(job_id)
    while store.progress(job_id, "attempt", {"percent": "50"}):
        time.sleep(0.05)
    store.connection.set("test:stopped", job_id)
