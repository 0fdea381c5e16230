"""Who waits for news of jobs in this process: all of them on one subscription.

Whatever changes a job's record says so on a channel of Redis (`change_script.py`). One thread
listens and wakes those who wait for that job; they read for themselves what has changed. What is
said while nobody can listen is lost, so after each new subscription everybody looks, and now and
then anyway: a worker of an older version says nothing.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from app.base.redis_connection import REDIS_AWAY, connect, redis_fault
from app.jobs.change_script import NEWS_CHANNEL
from app.jobs.record import read_state

log = logging.getLogger("goodmany.api")

LOOK_AGAIN_S = 15.0
# How soon the thread sees that it is to end, and tries again when Redis is away.
LISTEN_S = 1.0


class Waiting:
    """One who waits for news of one job.

    Attributes:
        is_stopped: nobody needs the news any more: the client has left, or the server ends.
    """

    def __init__(self, *, for_end: bool):
        self.for_end = for_end
        self.is_stopped = False
        self._heard = asyncio.Event()

    async def next(self, timeout_s: float = LOOK_AGAIN_S) -> None:
        """Returns when there may be news, at the latest after the time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(timeout_s, LOOK_AGAIN_S)):
                await self._heard.wait()
        self._heard.clear()

    def wake(self) -> None:
        """Ends the wait; in the thread of the event loop."""
        self._heard.set()

    def stop(self) -> None:
        """Ends the wait for good."""
        self.is_stopped = True
        self.wake()


class JobNews:
    """The subscription of one process, and who waits on it.

    Args:
        redis_url: where the news come from.
    """

    def __init__(self, redis_url: str):
        self.redis_url = redis_url
        self._waiting: dict[str, set[Waiting]] = {}
        self._is_ending = False
        self._closing = threading.Event()

    def start(self) -> None:
        """Listens from now on; in the thread of the event loop that all who wait live in."""
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._listen, args=(loop,), daemon=True).start()

    def end(self) -> None:
        """Lets nobody wait any longer, so that the server can end."""
        self._is_ending = True
        for waiting in self._all():
            waiting.stop()

    def close(self) -> None:
        """Ends the subscription, within LISTEN_S; nobody waits for that, a server's end least."""
        self._closing.set()

    @property
    def num_waiting(self) -> int:
        """How many wait."""
        return len(self._all())

    @contextmanager
    def waiting_for(self, job_id: str, *, for_end: bool = False) -> Iterator[Waiting]:
        """A place among those who hear of this job; it is free again when the block ends.

        Args:
            job_id: of the job.
            for_end: hear only that it is over.
        """
        waiting = Waiting(for_end=for_end)
        waiting.is_stopped = self._is_ending
        self._waiting.setdefault(job_id, set()).add(waiting)
        try:
            yield waiting
        finally:
            others = self._waiting[job_id]
            others.discard(waiting)
            if not others:
                del self._waiting[job_id]

    def _all(self) -> list[Waiting]:
        return [waiting for places in self._waiting.values() for waiting in places]

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._closing.is_set():
            try:
                with connect(self.redis_url) as connection:
                    self._hear(connection, loop)
            except REDIS_AWAY as error:
                log.debug("no news: %s", redis_fault(error))
                # They find out for themselves, and say so.
                self._tell(loop, None, is_over=True)
                self._closing.wait(LISTEN_S)

    def _hear(self, connection: redis.Redis, loop: asyncio.AbstractEventLoop) -> None:
        with connection.pubsub() as subscription:
            subscription.subscribe(NEWS_CHANNEL)
            while not self._closing.is_set():
                message = subscription.get_message(timeout=LISTEN_S)
                if message is None:
                    continue
                if message["type"] == "subscribe":
                    # Again after each broken connection; who knows what was said meanwhile.
                    self._tell(loop, None, is_over=True)
                elif message["type"] == "message":
                    job_id, _, state = message["data"].decode(errors="replace").partition(" ")
                    self._tell(loop, job_id, is_over=read_state(state, None).is_over)

    def _tell(self, loop: asyncio.AbstractEventLoop, job_id: str | None, *, is_over: bool) -> None:
        # The loop may be gone before this thread is.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._wake, job_id, is_over)

    def _wake(self, job_id: str | None, is_over: bool) -> None:
        for waiting in self._all() if job_id is None else self._waiting.get(job_id, ()):
            if is_over or not waiting.for_end:
                waiting.wake()
