"""A job until it is over: its events as they happen, or questions where no events come through.

A service that is started anew is waited for: the job goes on with it, and so do its events, after
the last one that came.
"""

import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2

from goodmany.errors import (
    JobCanceledError,
    JobExpiredError,
    ProblemError,
    UnreachableError,
    WaitTimeoutError,
    problem_error,
)
from goodmany.http.service import path_of
from goodmany.http.talk import TOO_MANY, TRY_AGAIN, Talk
from goodmany.status import JobStatus

# The service says that it lives every 15 s.
SILENCE_S = 45.0
# A proxy that holds events back is found out by as many streams that brought none.
MAX_BARREN = 2
POLL_WAIT_S = 5
ASK_AGAIN_S = 0.5
OnStatus = Callable[[JobStatus], Any]


@dataclass
class Waiting:
    """One wait for one job.

    Attributes:
        talk: with its service.
        job_id: of the job.
        on_status: is told of every change.
        timeout_s: when the wait is given up; None for never.
    """

    talk: Talk
    job_id: str
    on_status: OnStatus | None
    timeout_s: float | None
    started: float = field(default_factory=time.monotonic)
    heard: float = field(default_factory=time.monotonic)
    last_event_id: str = ""
    num_barren: int = 0
    is_abreast: bool = False

    async def until_over(self) -> JobStatus:
        """The job at its end.

        Raises:
            JobCanceledError: it was canceled.
            ProblemError: it failed, or its files are gone; or the service refuses to tell.
            UnreachableError: the service went away and did not come back.
            WaitTimeoutError: the time is up; the job goes on.
        """
        status: JobStatus | None = None
        while status is None or not status.is_over:
            try:
                if status is not None and self.num_barren < MAX_BARREN:
                    await self._listen(status)
                status = await self._ask(POLL_WAIT_S if self.num_barren >= MAX_BARREN else 0)
            except (UnreachableError, ProblemError) as error:
                await self._bear(error)
        return _succeeded(status)

    async def _listen(self, status: JobStatus) -> None:
        """Tells the events of one stream, however that ends."""
        self.num_barren += 1
        async with aclosing(self._events()) as events:
            async for event in events:
                self.num_barren = 0
                news = status.after(event)
                # A first stream begins with all that has happened, which may be known already.
                if self.is_abreast or news.progress >= status.progress:
                    self.is_abreast = True
                    status = await self._tell(news)

    async def _events(self) -> AsyncGenerator[dict[str, Any], None]:
        """What one stream brings. Whether it or the service is away, the next question shows."""
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if self.last_event_id:
            headers["Last-Event-ID"] = self.last_event_id
        timeout = httpx2.Timeout(self.talk.wire.http.timeout.connect)
        timeout.read = self._within(SILENCE_S)
        request = self.talk.wire.http.build_request(
            "GET", f"{path_of(self.job_id)}/events", headers=headers, timeout=timeout
        )
        with suppress(UnreachableError, ProblemError, ValueError):
            async with self.talk.opened(request) as body:
                if body.response.status_code == httpx2.codes.NO_CONTENT:
                    return
                while (event := await body.next_event()) is not None:
                    if event.event == "job":
                        yield json.loads(event.data)
                    self.last_event_id = event.id or self.last_event_id
                    self._within(SILENCE_S)

    async def _ask(self, wait_s: int) -> JobStatus:
        """The job as it stands, at the latest after so many seconds."""
        wait_s = int(self._within(wait_s)) if wait_s else 0
        headers = {"Prefer": f"wait={wait_s}"} if wait_s else {}
        request = self.talk.wire.http.build_request("GET", path_of(self.job_id), headers=headers)
        response = await self.talk.send(request)
        status = await self._tell(self.talk.read_job(self.talk.read(response)))
        if not status.is_over and self.num_barren and "preference-applied" not in response.headers:
            # Neither events nor long questions: not more often than this.
            await self.talk.wire.pause(self._within(ASK_AGAIN_S))
        return status

    async def _tell(self, status: JobStatus) -> JobStatus:
        self.heard = time.monotonic()
        if self.on_status is not None:
            await self.talk.wire.tell(self.on_status, status)
        return status

    async def _bear(self, error: UnreachableError | ProblemError) -> None:
        """A pause after what may pass.

        Raises:
            UnreachableError, ProblemError: it does not pass.
        """
        code = error.status if isinstance(error, ProblemError) else None
        if code is not None and code not in TRY_AGAIN:
            raise error
        if code == TOO_MANY:
            # The job goes on; only the question came too soon.
            self.heard = time.monotonic()
        elif time.monotonic() - self.heard > self.talk.patience_s:
            raise UnreachableError(f"{error} Job {self.job_id} may go on there.") from error
        await self.talk.wire.pause(self._within(ASK_AGAIN_S if code != TOO_MANY else 1.0))

    def _within(self, seconds: float) -> float:
        """So many seconds, or as many as are left.

        Raises:
            WaitTimeoutError: none is.
        """
        if self.timeout_s is None:
            return seconds
        left_s = self.timeout_s - (time.monotonic() - self.started)
        if left_s <= 0:
            raise WaitTimeoutError(f"Job {self.job_id} is not over after {self.timeout_s:g} s.")
        return min(seconds, left_s)


def _succeeded(status: JobStatus) -> JobStatus:
    """The job, which has its files."""
    if status.state == "canceled":
        raise JobCanceledError(status)
    if status.problem is not None:
        raise problem_error(status.problem, status)
    if status.state != "succeeded":
        gone = {"title": "The job has expired", "detail": "Its files have been removed."}
        raise JobExpiredError({**gone, "status": 410}, status)
    return status
