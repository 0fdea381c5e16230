"""A job over HTTP from the client's side: submit, follow, download."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

POLL_EVERY_S = 0.5


class JobError(RuntimeError):
    """The service refused the job or the job did not succeed; the message says why."""


class Client:
    """Speaks to one running service.

    Args:
        address: such as `http://127.0.0.1:8000`.
        api_key: sent with every request, if there is one.
    """

    def __init__(self, address: str, api_key: str | None = None):
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self.http = httpx2.Client(base_url=address, headers=headers, timeout=60)

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
            JobError: the service refused it.
        """
        with ExitStack() as files:
            uploads = [
                ("images", (path.name, files.enter_context(path.open("rb")))) for path in images
            ]
            data = {name: value for name, value in fields.items() if value is not None}
            return _json(self.http.post("/v1/jobs", data=data, files=uploads))

    def follow(self, job: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The job again and again, at last the finished one.

        Raises:
            JobError: it failed or was canceled.
        """
        while True:
            answer = self.http.get(job["links"]["self"])
            if answer.status_code == httpx2.codes.TOO_MANY_REQUESTS:
                # The job goes on; only the question came too soon.
                time.sleep(int(answer.headers["Retry-After"]))
                continue
            job = _json(answer)
            yield job
            if job["state"] not in ("queued", "running"):
                break
            time.sleep(POLL_EVERY_S)
        if job["state"] != "succeeded":
            detail = job["problem"]["detail"] if job["problem"] else ""
            raise JobError(f"Job {job['id']} {job['state']}. {detail}".strip())

    def download(self, link: str, path: Path) -> None:
        """Writes a file of the job to `path`.

        Raises:
            JobError: the service has no such file.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.http.stream("GET", link) as answer:
            if answer.is_error:
                answer.read()
                _json(answer)
            with path.open("wb") as file:
                for chunk in answer.iter_bytes():
                    file.write(chunk)


def _json(answer: httpx2.Response) -> dict[str, Any]:
    document: dict[str, Any] = answer.json()
    if answer.is_error:
        raise JobError(f"{document['title']}: {document['detail']}")
    return document
