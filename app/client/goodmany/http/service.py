"""What a client and a service say to each other, whichever way the client waits.

Every request may be sent again: what makes a job carries a key by which the service knows it, and
to cancel or to delete twice does no harm.
"""

import os
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, BinaryIO

import httpx2

from goodmany.errors import JobAlreadyOverError, UnreachableError
from goodmany.http.talk import Talk
from goodmany.images.uploads import Images, Upload, gather
from goodmany.options import JobOptions, form_fields
from goodmany.status import JobStatus
from goodmany.views import Views

JOB_ID = re.compile(r"[\w-]+", re.ASCII)
DEFAULT_URL = "http://127.0.0.1:8000"
# The dry run of views is answered within a minute, after its images are checked.
ANSWER_WITHIN_S = 120.0


def connection_options(url: str | None, key: str | None, timeout_s: float) -> dict[str, Any]:
    """What an HTTP client of the service is made with.

    Args:
        url: such as `http://127.0.0.1:8000`, or below a path of a proxy; None takes
            GOODMANY_SERVER, or this machine.
        key: an API key; None takes GOODMANY_API_KEY, or none.
        timeout_s: for each step of a connection.

    Raises:
        ValueError: that is no address.
    """
    address = url or os.environ.get("GOODMANY_SERVER") or DEFAULT_URL
    try:
        parsed = httpx2.URL(address)
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise ValueError(f"{address!r} is no address of a service: {error}.") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError(f"{address!r} is no address of a service, http://... or https://...")
    api_key = os.environ.get("GOODMANY_API_KEY") if key is None else key
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    return {"base_url": parsed, "headers": headers, "timeout": timeout_s}


class Service:
    """The routes of a service.

    Args:
        talk: sends requests and reads answers.
    """

    def __init__(self, talk: Talk):
        self.talk = talk

    async def submit(
        self,
        images: Images | None,
        held_out: Images | None,
        object_name: str,
        options: JobOptions,
        *,
        key: str | None,
    ) -> JobStatus:
        """The job as accepted; sent again with one key, it is one job."""
        is_none = images is None or (isinstance(images, list) and not images)
        if is_none and options.get("images_url"):
            uploads = {}
        else:
            given = [] if images is None else images
            uploads = {"images": await self.talk.wire.work(gather, given)}
        if held_out is not None:
            uploads["held_out_images"] = await self.talk.wire.work(gather, held_out)
        fields = form_fields({"object_name": object_name, **options})
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}
        document = await self.talk.ask(
            lambda files: self._form("v1/jobs", uploads, fields, files, headers)
        )
        return self.talk.read_job(document)

    async def views(self, images: Images, options: Mapping[str, Any]) -> Views:
        """What may vary, without a job."""
        uploads = await self.talk.wire.work(gather, images)
        fields = form_fields(options)
        document = await self.talk.ask(
            lambda files: self._form("v1/views", {"images": uploads}, fields, files)
        )
        if not {"inputs", "families"} <= document.keys():
            raise UnreachableError(f"What answers at {self.talk.address} is no goodmany.")
        return Views.of(document)

    async def job(self, job_id: str) -> JobStatus:
        """How the job stands."""
        return self.talk.read_job(await self.talk.ask(self._request("GET", path_of(job_id))))

    async def page(
        self, query: Mapping[str, Any], cursor: str | None
    ) -> tuple[list[JobStatus], Any]:
        """Some jobs, the newest first, and where the next page begins; None after the last one."""
        params = {name: value for name, value in query.items() if value is not None}
        params |= {} if cursor is None else {"cursor": cursor}
        document = await self.talk.ask(self._request("GET", "v1/jobs", params=params))
        return [self.talk.read_job(item) for item in document["items"]], document["next_cursor"]

    async def cancel(self, job_id: str) -> JobStatus:
        """The job, which is canceled for certain; a job that was canceled before stays so."""
        path = f"{path_of(job_id)}/cancel"
        try:
            return self.talk.read_job(await self.talk.ask(self._request("POST", path)))
        except JobAlreadyOverError:
            # The answer to an earlier try may have been lost.
            status = await self.job(job_id)
            if status.state != "canceled":
                raise
            return status

    async def delete(self, job_id: str) -> None:
        """The job's files are gone."""
        await self.talk.ask(self._request("DELETE", path_of(job_id)))

    async def download(
        self, job_id: str, what: str, file: BinaryIO, query: Mapping[str, str] | None = None
    ) -> None:
        """Writes one of the job's files to where `file` stands."""
        await self.talk.download(f"{path_of(job_id)}/{what}", query or {}, file)

    def _request(
        self, method: str, path: str, **options: Any
    ) -> Callable[[ExitStack], httpx2.Request]:
        return lambda _: self.talk.wire.http.build_request(method, path, **options)

    def _form(
        self,
        path: str,
        uploads: Mapping[str, list[Upload]],
        fields: dict[str, Any],
        files: ExitStack,
        headers: dict[str, str] | None = None,
    ) -> httpx2.Request:
        opened = [
            (field, (one.name, files.enter_context(one.open())))
            for field, ones in uploads.items()
            for one in ones
        ]
        return self.talk.wire.http.build_request(
            "POST", path, data=fields, files=opened, headers=headers, timeout=ANSWER_WITHIN_S
        )


def path_of(job_id: str) -> str:
    """Where the job is.

    Raises:
        ValueError: that cannot be a job's id.
    """
    if not JOB_ID.fullmatch(job_id):
        raise ValueError(f"{job_id!r} is no id of a job.")
    return f"v1/jobs/{job_id}"
