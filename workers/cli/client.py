"""A job over HTTP from the client's side: submit, follow, download."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import httpx2

from workers.cli.failures import (
    JobFailedError,
    RefusedRequestError,
    UnreachableError,
    UsageError,
)

POLL_EVERY_S = 0.5
# The dry run of views is answered within a minute, after its images are checked.
ANSWER_WITHIN_S = 120.0
# A service that is started anew goes on with its jobs.
OUTAGE_PATIENCE_S = 60.0


class Client:
    """Speaks to one running service.

    Args:
        address: such as `http://127.0.0.1:8000`, or below a path of a proxy.
        api_key: sent with every request, if there is one.

    Raises:
        UsageError: that is no address.
    """

    def __init__(self, address: str, api_key: str | None = None):
        self.address = address
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        try:
            self.http = httpx2.Client(base_url=address, headers=headers, timeout=60)
            is_address = self.http.base_url.scheme in ("http", "https") and self.http.base_url.host
        except (httpx2.InvalidURL, UnicodeError) as error:
            raise UsageError(f"{address!r} is no address of a service: {error}.") from error
        if not is_address:
            raise UsageError(f"{address!r} is no address of a service, http://... or https://...")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.close()

    def submit(self, images: list[Path], fields: dict[str, Any]) -> dict[str, Any]:
        """Sends the images; the job as accepted.

        Args:
            images: files to upload.
            fields: the form's fields; those that are None are left out.

        Raises:
            RefusedRequestError: the service refused it.
            UnreachableError: there is no service.
        """
        with self._posted("/v1/jobs", images, fields) as answer:
            return self._read_job(answer)

    def show_views(self, images: list[Path], fields: dict[str, Any]) -> dict[str, Any]:
        """Sends the images; what `POST /v1/views` answers, with the same arguments and errors."""
        with self._posted("/v1/views", images, fields) as answer:
            document = self._read(answer)
            if not {"inputs", "families"} <= document.keys():
                raise self._stranger(answer)
            return document

    def follow(self, job: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The job again and again, at last the finished one.

        A service that is away for a while is waited for: the job goes on with it.

        Raises:
            JobFailedError: it failed, was canceled or has expired.
            RefusedRequestError: the service refuses to tell.
            UnreachableError: the service went away and did not come back.
        """
        give_up = time.monotonic() + OUTAGE_PATIENCE_S
        while True:
            try:
                with self._told():
                    answer = self.http.get(self._absolute(job["links"]["self"]))
                    if answer.status_code == httpx2.codes.TOO_MANY_REQUESTS:
                        # The job goes on; only the question came too soon.
                        time.sleep(int(answer.headers["Retry-After"]))
                        continue
                    job = self._read_job(answer)
            except UnreachableError as error:
                if time.monotonic() > give_up:
                    raise UnreachableError(f"{error} Job {job['id']} may go on there.") from error
                time.sleep(POLL_EVERY_S)
                continue
            give_up = time.monotonic() + OUTAGE_PATIENCE_S
            yield job
            if job["state"] not in ("queued", "running"):
                break
            time.sleep(POLL_EVERY_S)
        if job["state"] != "succeeded":
            detail = job["problem"]["detail"] if job["problem"] else ""
            raise JobFailedError(f"Job {job['id']} {job['state']}. {detail}".strip())

    def fetch(self, link: str, file: BinaryIO) -> None:
        """Writes what is behind a job's link into `file`.

        Raises:
            RefusedRequestError: the service has no such file.
            UnreachableError: the service is away, or went away in between.
        """
        with self._told(), self.http.stream("GET", self._absolute(link)) as answer:
            if answer.is_error:
                answer.read()
                self._read(answer)
            for chunk in answer.iter_bytes():
                file.write(chunk)

    def download(self, link: str, path: Path) -> None:
        """The same into a file of this name; its folder is made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            self.fetch(link, file)

    def _absolute(self, link: str) -> httpx2.URL:
        """Links begin at the server's root, wherever below it the service is."""
        return self.http.base_url.copy_with(raw_path=link.encode())

    @contextmanager
    def _posted(
        self, route: str, images: list[Path], fields: dict[str, Any]
    ) -> Iterator[httpx2.Response]:
        with ExitStack() as files, self._told():
            uploads = [
                ("images", (path.name, files.enter_context(path.open("rb")))) for path in images
            ]
            data = {name: value for name, value in fields.items() if value is not None}
            yield self.http.post(route, data=data, files=uploads, timeout=ANSWER_WITHIN_S)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except httpx2.TimeoutException as error:
            raise UnreachableError(f"{self.address} does not answer in time.") from error
        except httpx2.TransportError as error:
            raise UnreachableError(f"{self.address} cannot be reached: {error}.") from error
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise UnreachableError(f"{self.address} answers nonsense: {error}.") from error

    def _read_job(self, answer: httpx2.Response) -> dict[str, Any]:
        job = self._read(answer)
        if not {"id", "state", "links", "problem"} <= job.keys():
            raise self._stranger(answer)
        return job

    def _read(self, answer: httpx2.Response) -> dict[str, Any]:
        try:
            document = answer.json()
        except ValueError:
            raise self._stranger(answer) from None
        if not isinstance(document, dict):
            raise self._stranger(answer)
        if answer.status_code == httpx2.codes.SERVICE_UNAVAILABLE:
            raise UnreachableError(f"{self.address}: {document.get('detail', 'not ready')}")
        if answer.is_error:
            if not {"title", "detail"} <= document.keys():
                raise self._stranger(answer)
            raise RefusedRequestError(f"{document['title']}: {document['detail']}")
        return document

    def _stranger(self, answer: httpx2.Response) -> UnreachableError:
        return UnreachableError(
            f"What answers at {self.address} is no goodmany (status {answer.status_code})."
        )
