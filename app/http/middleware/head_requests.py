"""HEAD wherever there is GET: the same headers, and nothing else.

Source: RFC 9110, section 9.3.2.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadRequests:
    """ASGI middleware right before the routes, which know of GET alone.

    To a route it looks as if the client had left when it had seen the headers, so that a body that
    takes long, or has no end, is not made.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        head = _Head(receive, send)
        routed = {**scope, "method": "GET"}
        try:
            await self.app(routed, head.receive, head.send)
        finally:
            # Who logs the request wants to know which route it was.
            scope.update({key: routed[key] for key in ("route", "path_params") if key in routed})


class _Head:
    """One answer, of which the headers are sent."""

    def __init__(self, receive: Receive, send: Send):
        self._receive, self._send = receive, send
        self._is_answered = asyncio.Event()

    async def send(self, message: Message) -> None:
        """Passes the headers on, and no body."""
        if message["type"] == "http.response.start":
            await self._send(message)
            await self._send({"type": "http.response.body"})
            self._is_answered.set()

    async def receive(self) -> Message:
        """What the client says; after the headers, that it has left."""
        said = asyncio.ensure_future(self._receive())
        answered = asyncio.ensure_future(self._is_answered.wait())
        try:
            await asyncio.wait((said, answered), return_when=asyncio.FIRST_COMPLETED)
            return {"type": "http.disconnect"} if self._is_answered.is_set() else said.result()
        finally:
            said.cancel()
            answered.cancel()
