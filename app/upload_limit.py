"""Ends an upload that is too large while it arrives, before it is buffered."""

import contextlib
import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.problems import MEDIA_TYPE, UploadTooLarge


class _LimitReachedError(Exception):
    """Unwinds whoever reads the body."""


class UploadLimit:
    """ASGI middleware that counts the bytes of every request body.

    A declared length that is too large is answered before the first byte is read; without a
    declared length the count decides. The parser behind it keeps at most 1 MiB of a file in memory
    and the rest on disk, so that the memory of an upload is bounded as well.
    """

    def __init__(self, app: ASGIApp, max_bytes: int):
        self.app, self.max_bytes = app, max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self.max_bytes:
            await self._refuse(send)
            return
        num_bytes, exceeded = 0, False

        async def counted_receive() -> Message:
            nonlocal num_bytes, exceeded
            message = await receive()
            num_bytes += len(message.get("body", b""))
            if num_bytes > self.max_bytes:
                exceeded = True
                raise _LimitReachedError
            return message

        async def send_unless_exceeded(message: Message) -> None:
            # What the application says after it was cut off (a 400, as a rule) is not the reason.
            if not exceeded:
                await send(message)

        with contextlib.suppress(_LimitReachedError):
            await self.app(scope, counted_receive, send_unless_exceeded)
        if exceeded:
            await self._refuse(send)

    async def _refuse(self, send: Send) -> None:
        problem = UploadTooLarge(f"A request may have at most {self.max_bytes} bytes.")
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            # The rest of the body is not read.
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": problem.status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(problem.as_dict()).encode()})
