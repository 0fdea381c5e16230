"""A request until it is answered: what is tried again, what is read, what is told of a fault."""

import email.utils
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from typing import Any, BinaryIO

import httpx2

from goodmany.errors import GoodmanyError, UnreachableError, problem_error
from goodmany.http.wire import Body, Wire
from goodmany.status import JobStatus

# Answers after which the same request may go well; 502 and 504 are those of a proxy.
TRY_AGAIN = frozenset((429, 502, 503, 504))
TOO_MANY = 429
PARTIAL = 206
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0


class Talk:
    """Requests to one service.

    Args:
        wire: the network.
        max_retries: how often a request is sent again that got no answer, or one of 502 to 504.
        patience_s: for how long a service that says "later" (429), or that is started anew while a
            job is waited for, is asked again.
    """

    def __init__(self, wire: Wire, *, max_retries: int, patience_s: float):
        self.wire, self.max_retries, self.patience_s = wire, max_retries, patience_s
        self.address = str(wire.http.base_url).rstrip("/")

    async def ask(self, build: Callable[[ExitStack], httpx2.Request]) -> dict[str, Any]:
        """The answer's document, after as many tries as it takes; empty for a 204.

        Args:
            build: makes the request anew for each try; what it opens is closed after it.

        Raises:
            ProblemError: the service refuses.
            UnreachableError: there is no service, or another one.
        """
        started, num_faults = time.monotonic(), 0
        while True:
            try:
                with ExitStack() as opened:
                    response = await self.send(build(opened))
                fault = None
            except UnreachableError as error:
                response, fault = None, error
            if response is not None and response.status_code not in TRY_AGAIN:
                return self.read(response)
            busy = response is not None and response.status_code == TOO_MANY
            pause_s = _asked_pause_s(response) or _pause_s(num_faults)
            waited_s = time.monotonic() - started + pause_s
            if waited_s > self.patience_s if busy else num_faults >= self.max_retries:
                if fault is not None:
                    raise fault
                assert response is not None
                self.read(response)
            num_faults += not busy
            await self.wire.pause(min(pause_s, self.patience_s))

    async def send(self, request: httpx2.Request) -> httpx2.Response:
        """One try.

        Raises:
            UnreachableError: there was no answer.
        """
        try:
            return await self.wire.send(request)
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise self.told(error) from error

    @asynccontextmanager
    async def opened(self, request: httpx2.Request) -> AsyncIterator[Body]:
        """An answer to be read piece by piece, as far as it comes.

        Raises:
            ProblemError: the service refuses.
            UnreachableError: there was no answer, or it broke off.
        """
        try:
            async with self.wire.open(request) as body:
                if body.response.is_error:
                    await body.read()
                    self.read(body.response)
                yield body
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise self.told(error) from error

    async def download(self, path: str, query: Mapping[str, str], file: BinaryIO) -> None:
        """Writes the answer into `file`; what broke off goes on where it was.

        Raises:
            ProblemError: the service has no such file.
            UnreachableError: the service is away, or went away in between.
        """
        done = _Download(file)
        num_faults = 0
        while True:
            before = done.num_bytes
            # A compressed answer has other places than the file.
            headers = {"Accept-Encoding": "identity", **done.resume_headers()}
            request = self.wire.http.build_request("GET", path, params=dict(query), headers=headers)
            try:
                async with self.opened(request) as body:
                    done.begin(body.response)
                    while content := await body.next_bytes():
                        done.write(content)
                    return
            except GoodmanyError as error:
                status = getattr(error, "status", None)
                num_faults = 0 if done.num_bytes > before else num_faults + 1
                may_go_well = status in TRY_AGAIN or (status is None and done.can_go_on)
                if num_faults > self.max_retries or not may_go_well:
                    raise
            await self.wire.pause(_pause_s(num_faults))

    def read(self, response: httpx2.Response) -> dict[str, Any]:
        """The answer's document.

        Raises:
            ProblemError: it is a problem.
            UnreachableError: that is nothing that a goodmany says.
        """
        if response.status_code == httpx2.codes.NO_CONTENT:
            return {}
        try:
            document = response.json()
            if response.is_error:
                raise problem_error(document)
            if response.is_redirect or not isinstance(document, dict):
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UnreachableError(
                f"What answers at {self.address} is no goodmany (status {response.status_code})."
            ) from None
        return document

    def read_job(self, document: Mapping[str, Any]) -> JobStatus:
        """The job in an answer.

        Raises:
            UnreachableError: there is none.
        """
        try:
            return JobStatus.of(document)
        except (KeyError, ValueError, TypeError):
            raise UnreachableError(f"What answers at {self.address} is no goodmany.") from None

    def told(self, error: Exception) -> UnreachableError:
        """A fault of the network, in one sentence."""
        if isinstance(error, httpx2.TimeoutException):
            return UnreachableError(f"{self.address} does not answer in time.")
        if isinstance(error, httpx2.TransportError):
            return UnreachableError(f"{self.address} cannot be reached: {error}.")
        return UnreachableError(f"{self.address} answers nonsense: {error}.")


class _Download:
    """How far a file has come."""

    def __init__(self, file: BinaryIO):
        self.file, self.num_bytes, self.etag = file, 0, ""
        self.start = file.tell() if file.seekable() else 0

    @property
    def can_go_on(self) -> bool:
        """Whether what came next would not stand behind something else."""
        return not self.num_bytes or bool(self.etag) or self.file.seekable()

    def resume_headers(self) -> dict[str, str]:
        if not self.num_bytes or not self.etag:
            return {}
        return {"Range": f"bytes={self.num_bytes}-", "If-Range": self.etag}

    def begin(self, response: httpx2.Response) -> None:
        """What comes is the rest, or all of it once more.

        Raises:
            UnreachableError: half of it is written already where nothing can be taken back.
        """
        self.etag = response.headers.get("etag", "")
        if response.status_code == PARTIAL or not self.num_bytes:
            return
        if not self.file.seekable():
            raise UnreachableError("The download broke off and has changed since.")
        self.file.seek(self.start)
        self.file.truncate()
        self.num_bytes = 0

    def write(self, content: bytes) -> None:
        self.file.write(content)
        self.num_bytes += len(content)


def _pause_s(num_faults: int) -> float:
    return float(min(FIRST_PAUSE_S * 2**num_faults, LONGEST_PAUSE_S))


def _asked_pause_s(response: httpx2.Response | None) -> float | None:
    """What the answer asks for in `Retry-After`: seconds, or a date as proxies write it."""
    asked = "" if response is None else response.headers.get("retry-after", "")
    if asked.isdecimal():
        return float(asked)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(asked).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
