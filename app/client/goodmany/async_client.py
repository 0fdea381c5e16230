"""The client that awaits: the twin of `Client`, told by what differs."""

from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, Unpack

import httpx2

from goodmany.client import MAX_RETRIES, PATIENCE_S, TIMEOUT_S
from goodmany.http.service import Service, connection_options
from goodmany.http.talk import Talk
from goodmany.http.waiting import OnStatus, Waiting
from goodmany.http.wire import AwaitingWire
from goodmany.images.uploads import Images
from goodmany.options import JobOptions
from goodmany.progress_bar import progress_display
from goodmany.result import Result, spool, writing
from goodmany.status import JobStatus
from goodmany.views import Views


class AsyncClient:
    """As `Client`, to be used with `async with`, or closed by `aclose`."""

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        max_retries: int = MAX_RETRIES,
        patience_s: float = PATIENCE_S,
    ):
        self.http = httpx2.AsyncClient(**connection_options(url, key, timeout_s))
        talk = Talk(AwaitingWire(self.http), max_retries=max_retries, patience_s=patience_s)
        self._service = Service(talk)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes its connections; jobs go on."""
        await self.http.aclose()

    async def generate(
        self,
        images: Images | None,
        object_name: str,
        *,
        held_out: Images | None = None,
        progress: bool | None = None,
        on_progress: OnStatus | None = None,
        **options: Unpack[JobOptions],
    ) -> Result:
        """As `Client.generate`; `on_progress` may be a coroutine function."""
        job = await self.submit(images, object_name, held_out=held_out, **options)
        try:
            with ExitStack() as drawn:
                display = drawn.enter_context(progress_display(progress, on_progress))
                return await job.result(on_progress=display)
        except BaseException as error:
            error.add_note(f"It was job {job.id}; client.job({job.id!r}) finds it again.")
            raise

    async def submit(
        self,
        images: Images | None,
        object_name: str,
        *,
        held_out: Images | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[JobOptions],
    ) -> "AsyncJob":
        """As `Client.submit`."""
        return await self._job(
            self._service.submit(images, held_out, object_name, options, key=idempotency_key)
        )

    async def job(self, job_id: str) -> "AsyncJob":
        """As `Client.job`."""
        return await self._job(self._service.job(job_id))

    async def jobs(
        self, *, state: str | Sequence[str] | None = None, object_name: str | None = None
    ) -> AsyncIterator["AsyncJob"]:
        """As `Client.jobs`."""
        query = {"state": state, "object_name": object_name, "limit": 100}
        cursor = None
        while True:
            found, cursor = await self._service.page(query, cursor)
            for status in found:
                yield AsyncJob(self._service, status)
            if cursor is None:
                return

    async def views(self, images: Images, *, bit_depth: int | None = None) -> Views:
        """As `Client.views`."""
        return await self._service.views(images, {"bit_depth": bit_depth})

    async def _job(self, status: Coroutine[Any, Any, JobStatus]) -> "AsyncJob":
        return AsyncJob(self._service, await status)


class AsyncJob:
    """As `Job`.

    Attributes:
        status: how it stood when the service was heard last.
    """

    def __init__(self, service: Service, status: JobStatus):
        self._service, self.status = service, status

    @property
    def id(self) -> str:
        """By which it is found again."""
        return self.status.id

    async def refresh(self) -> JobStatus:
        """How it stands now."""
        self.status = await self._service.job(self.id)
        return self.status

    async def wait(
        self, on_progress: OnStatus | None = None, *, timeout_s: float | None = None
    ) -> JobStatus:
        """As `Job.wait`; `on_progress` may be a coroutine function."""
        waiting = Waiting(self._service.talk, self.id, on_progress, timeout_s)
        self.status = await waiting.until_over()
        return self.status

    async def result(
        self, on_progress: OnStatus | None = None, *, timeout_s: float | None = None
    ) -> Result:
        """As `Job.result`."""
        await self.wait(on_progress, timeout_s=timeout_s)
        result = Result(self.status, spool())
        await self._service.download(self.id, "archive", result.file)
        return result

    async def download(self, what: str, file: BinaryIO | str | Path, **query: str) -> None:
        """As `Job.download`."""
        with writing(file) as opened:
            await self._service.download(self.id, what, opened, query)

    async def cancel(self) -> JobStatus:
        """As `Job.cancel`."""
        self.status = await self._service.cancel(self.id)
        return self.status

    async def delete(self) -> None:
        """As `Job.delete`."""
        await self._service.delete(self.id)

    def __repr__(self) -> str:
        return f"<AsyncJob {self.id}: {self.status.state}>"
