"""Tells how far a generation is, and how long its stages took."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from models.job.request import ProgressCallback


class Progress:
    """The caller's callback, if there is one, and a clock.

    Attributes:
        timings_s: stage -> seconds, of the stages that have ended.
    """

    def __init__(self, on_progress: ProgressCallback | None = None):
        self.on_progress = on_progress
        self.timings_s: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Takes the time of what is done inside."""
        start = time.monotonic()
        yield
        self.timings_s[name] = round(time.monotonic() - start, 3)

    def tell(self, stage: str, percent: float, **facts: object) -> None:
        """Calls the callback, which may raise to cancel."""
        if self.on_progress is not None:
            self.on_progress(stage, percent, facts)

    def counter(self, stage: str, start: float, end: float, count: int) -> Callable[[], None]:
        """What to call `count` times while `stage` goes from `start` to `end` percent."""
        done = itertools.count(1)
        return lambda: self.tell(stage, start + (end - start) * next(done) / count)
