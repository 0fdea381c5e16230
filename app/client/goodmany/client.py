"""The client that blocks: a service's jobs from a script, a notebook or a line's computer."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, Unpack

import httpx2

from goodmany.http.service import Service, connection_options
from goodmany.http.talk import Talk
from goodmany.http.waiting import OnStatus, Waiting
from goodmany.http.wire import BlockingWire, run_blocking
from goodmany.images.uploads import Images
from goodmany.options import JobOptions
from goodmany.progress_bar import progress_display
from goodmany.result import Result, spool, writing
from goodmany.status import JobStatus
from goodmany.views import Views

MAX_RETRIES = 2
PATIENCE_S = 60.0
TIMEOUT_S = 60.0


class Client:
    """Speaks to one service; use it with `with`, or close it.

    Args:
        url: such as `http://127.0.0.1:8000`, or below a path of a proxy; without it
            GOODMANY_SERVER, else that one.
        key: an API key, if the service asks for one; without it GOODMANY_API_KEY.
        timeout_s: for each step of a connection.
        max_retries: how often a request is sent again that was not answered.
        patience_s: for how long a service that is busy, or away while a job is waited for, is asked
            again.

    Raises:
        ValueError: that is no address.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        max_retries: int = MAX_RETRIES,
        patience_s: float = PATIENCE_S,
    ):
        self.http = httpx2.Client(**connection_options(url, key, timeout_s))
        talk = Talk(BlockingWire(self.http), max_retries=max_retries, patience_s=patience_s)
        self._service = Service(talk)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes its connections; jobs go on."""
        self.http.close()

    def generate(
        self,
        images: Images | None,
        object_name: str,
        *,
        held_out: Images | None = None,
        progress: bool | None = None,
        on_progress: OnStatus | None = None,
        **options: Unpack[JobOptions],
    ) -> Result:
        """New images of what the images show: submits a job, waits for it, downloads it.

        Args:
            images: the good images: paths, folders, patterns, bytes, pictures, arrays; None with an
                `images_url`.
            object_name: what they show, in plain words.
            held_out: other good images, at least six, of which nothing is made: `result.manifest`
                says under `held_out` how the new ones lie among them.
            progress: whether a bar is drawn; without it, in a terminal or a notebook.
            on_progress: is told of every change.
            options: see `JobOptions`.

        Raises:
            GoodmanyError: see `errors.py`. A note on it tells the job's id, if there is a job.
        """
        job = self.submit(images, object_name, held_out=held_out, **options)
        try:
            with ExitStack() as drawn:
                display = drawn.enter_context(progress_display(progress, on_progress))
                return job.result(on_progress=display)
        except BaseException as error:
            error.add_note(f"It was job {job.id}; client.job({job.id!r}) finds it again.")
            raise

    def submit(
        self,
        images: Images | None,
        object_name: str,
        *,
        held_out: Images | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[JobOptions],
    ) -> "Job":
        """A job, which the service does from now on, whatever becomes of this program.

        Args:
            images: as in `generate`.
            object_name: as in `generate`.
            held_out: as in `generate`.
            idempotency_key: for a day, the same key with the same request is the same job, in
                another run of the program too. Without it each call makes one job.
            options: see `JobOptions`.

        Raises:
            GoodmanyError: there is no job.
        """
        return self._job(
            self._service.submit(images, held_out, object_name, options, key=idempotency_key)
        )

    def job(self, job_id: str) -> "Job":
        """A job that was made before.

        Raises:
            JobNotFoundError: no job of yours has this id.
        """
        return self._job(self._service.job(job_id))

    def jobs(
        self, *, state: str | Sequence[str] | None = None, object_name: str | None = None
    ) -> Iterator["Job"]:
        """The jobs, the newest first, in these states or of this name; asked for page by page."""
        query = {"state": state, "object_name": object_name, "limit": 100}
        cursor = None
        while True:
            found, cursor = run_blocking(self._service.page(query, cursor))
            yield from (Job(self._service, status) for status in found)
            if cursor is None:
                return

    def views(self, images: Images, *, bit_depth: int | None = None) -> Views:
        """Which families of views of the images are still good parts, and why; makes no job."""
        return run_blocking(self._service.views(images, {"bit_depth": bit_depth}))

    def _job(self, status: Any) -> "Job":
        return Job(self._service, run_blocking(status))


class Job:
    """A job of a service.

    Attributes:
        status: how it stood when the service was heard last.
    """

    def __init__(self, service: Service, status: JobStatus):
        self._service, self.status = service, status

    @property
    def id(self) -> str:
        """By which it is found again."""
        return self.status.id

    def refresh(self) -> JobStatus:
        """How it stands now."""
        self.status = run_blocking(self._service.job(self.id))
        return self.status

    def wait(
        self, on_progress: OnStatus | None = None, *, timeout_s: float | None = None
    ) -> JobStatus:
        """Returns when it has succeeded.

        Args:
            on_progress: is told of every change.
            timeout_s: when the wait is given up; the job goes on.

        Raises:
            JobCanceledError: it was canceled.
            ProblemError: it failed; the subclass says why.
            UnreachableError: the service went away and did not come back.
            WaitTimeoutError: the time is up.
        """
        waiting = Waiting(self._service.talk, self.id, on_progress, timeout_s)
        self.status = run_blocking(waiting.until_over())
        return self.status

    def result(
        self, on_progress: OnStatus | None = None, *, timeout_s: float | None = None
    ) -> Result:
        """What it has made, when it has succeeded; as `wait`."""
        self.wait(on_progress, timeout_s=timeout_s)
        result = Result(self.status, spool())
        run_blocking(self._service.download(self.id, "archive", result.file))
        return result

    def download(self, what: str, file: BinaryIO | str | Path, **query: str) -> None:
        """Writes one of its files: `archive`, `preview`, `variance`, `report` or `manifest`.

        Args:
            what: as in the routes below `/v1/jobs/{job_id}`.
            file: open for writing, or the name of one.
            query: such as `without="3,7"`.

        Raises:
            ProblemError: there is no such file, or not yet, or no more.
        """
        with writing(file) as opened:
            run_blocking(self._service.download(self.id, what, opened, query))

    def cancel(self) -> JobStatus:
        """Stops it for certain.

        Raises:
            JobAlreadyOverError: it had ended before.
        """
        self.status = run_blocking(self._service.cancel(self.id))
        return self.status

    def delete(self) -> None:
        """Removes its files.

        Raises:
            JobNotFinishedError: it is not over; cancel it first.
        """
        run_blocking(self._service.delete(self.id))

    def __repr__(self) -> str:
        return f"<Job {self.id}: {self.status.state}>"
