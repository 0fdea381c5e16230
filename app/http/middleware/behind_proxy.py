"""What a reverse proxy in front changes: the client's address, the scheme, and where we are.

A proxy that serves us below a path (`https://factory.example/goodmany/v1/jobs`) may take that
prefix off or leave it there; either way it becomes `root_path`, as ASGI has it, and stands in every
link that we hand out. It is told by a setting, or by the proxy itself in `X-Forwarded-Prefix`.
"""

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

PREFIX = re.compile(r"(/[A-Za-z0-9._~-]{1,64}){1,8}")


class BehindProxy:
    """ASGI middleware outside of all others.

    Args:
        app: what is served.
        root_path: the prefix, unless the proxy tells another; "" for none.
        trusted: addresses and networks of proxies whose `X-Forwarded-*` are believed, with commas.
    """

    def __init__(self, app: ASGIApp, *, root_path: str, trusted: str):
        self.root_path = root_path
        self.app = ProxyHeadersMiddleware(app, trusted)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] == "http" and (prefix := self._prefix(scope)):
            scope = _below(prefix, scope)
        await self.app(scope, receive, send)  # type: ignore[arg-type]

    def _prefix(self, scope: Scope) -> str:
        client = scope.get("client")
        if client is None or client[0] not in self.app.trusted_hosts:
            return self.root_path
        told = Headers(scope=scope).get("x-forwarded-prefix", "")
        # Each of several proxies in a row adds its own.
        prefix = "".join(part.strip().rstrip("/") for part in told.split(","))
        return prefix if PREFIX.fullmatch(prefix) else self.root_path


def route_path(scope: Scope) -> str:
    """The path of a request without the prefix that it came below."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _below(prefix: str, scope: Scope) -> Scope:
    path, raw_path = scope["path"], scope.get("raw_path") or b""
    if path != prefix and not path.startswith(f"{prefix}/"):
        path, raw_path = prefix + path, prefix.encode() + raw_path
    return {**scope, "root_path": prefix, "path": path, "raw_path": raw_path}
