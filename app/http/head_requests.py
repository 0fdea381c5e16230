"""HEAD wherever there is GET: the same headers, and nothing else.

Source: RFC 9110, section 9.3.2.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _HeadAnsweredError(Exception):
    """Unwinds whoever would go on with a body, an endless one too."""


class HeadRequests:
    """ASGI middleware right before the routes, which know of GET alone."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        routed = {**scope, "method": "GET"}

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body"})
                raise _HeadAnsweredError

        try:
            await self.app(routed, receive, send_head)
        except _HeadAnsweredError:
            return
        finally:
            # Who logs the request wants to know which route it was.
            scope.update({key: routed[key] for key in ("route", "path_params") if key in routed})
