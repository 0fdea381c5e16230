"""Ends an upload that is too large or too slow while it arrives, before it is buffered."""

import contextlib

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.problem_responses import ProblemResponse
from app.problems import MalformedBody, Problem, UploadTooLarge, UploadTooSlow

# How long an early answer waits for the client to stop sending.
LINGER_S = 2.0


class _LimitReachedError(Exception):
    """Unwinds whoever reads the body."""


class UploadLimit:
    """ASGI middleware that counts the bytes of every request body and the time that they take.

    A declared length that is too large is answered before the first byte is read; without a
    declared length the count decides. The parser behind it keeps at most 1 MiB of a file in memory
    and the rest on disk, so that the memory of an upload is bounded as well.

    An answer that comes before the end of the body, whatever its reason, closes the connection, but
    only when the client has stopped sending or LINGER_S are over: closed with bytes unread, TCP
    resets the connection, and the client may lose the answer (RFC 9112, section 9.6).

    Args:
        app: what gets the body.
        max_bytes: of one body.
        timeout_s: within which it must have arrived.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, timeout_s: float):
        self.app, self.max_bytes, self.timeout_s = app, max_bytes, timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = _Body(self, Headers(scope=scope), receive, send)
        if body.refusal is None:
            with contextlib.suppress(_LimitReachedError):
                await self.app(scope, body.receive, body.send)
        if body.refusal is not None:
            await ProblemResponse(body.refusal)(scope, receive, body.answer)


class _Body:
    """One request's body on its way, and why it is refused, if it is."""

    def __init__(self, limit: UploadLimit, headers: Headers, receive: Receive, send: Send):
        self.limit, self._receive, self._send = limit, receive, send
        self.deadline = anyio.current_time() + limit.timeout_s
        self.num_bytes = 0
        self.refusal: Problem | None = None
        declared = headers.get("content-length", "0")
        self.is_unread = declared != "0" or "transfer-encoding" in headers
        if declared.isdigit() and int(declared) > limit.max_bytes:
            self._refuse_size()
        if "content-length" in headers and "transfer-encoding" in headers:
            # RFC 9112, 6.1: a proxy may have seen another end of this request than we would.
            self.refusal = MalformedBody(
                "A length and chunks exclude each other.", headers={"Connection": "close"}
            )

    async def receive(self) -> Message:
        """The next part; afterwards whatever the server has to tell."""
        if not self.is_unread:
            return await self._receive()
        with anyio.CancelScope(deadline=self.deadline):
            message = await self._receive()
            self.num_bytes += len(message.get("body", b""))
            if self.num_bytes > self.limit.max_bytes:
                self._refuse_size()
                raise _LimitReachedError
            self.is_unread = message.get("more_body", False)
            return message
        self.refusal = UploadTooSlow(
            f"A request must arrive within {self.limit.timeout_s:g} s.",
            headers={"Connection": "close"},
        )
        raise _LimitReachedError

    async def send(self, message: Message) -> None:
        """Passes the application's answer on."""
        # What the application says after it was cut off (a 400, as a rule) is not the reason.
        if self.refusal is None:
            await self.answer(message)

    async def answer(self, message: Message) -> None:
        """Answers; the last part ends the answer only when the rest of the body has been read."""
        if self.is_unread and message["type"] == "http.response.start":
            MutableHeaders(scope=message)["Connection"] = "close"
        elif self.is_unread and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._read_rest()
            message = {"type": "http.response.body"}
        await self._send(message)

    async def _read_rest(self) -> None:
        with anyio.move_on_after(LINGER_S):
            while self.is_unread:
                self.is_unread = (await self._receive()).get("more_body", False)

    def _refuse_size(self) -> None:
        self.refusal = UploadTooLarge(
            f"A request may have at most {self.limit.max_bytes} bytes.",
            headers={"Connection": "close"},
        )
