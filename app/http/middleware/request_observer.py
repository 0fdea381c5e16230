"""Gives every request an id, answers what nobody caught, and logs and counts how it ended."""

import logging
import re
import secrets
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.problem_responses import ProblemResponse
from app.jobs.model import JOB_ID
from app.observability.http_metrics import HttpMetrics
from app.observability.logs import log_fields
from app.problems import InternalError

access_log = logging.getLogger("goodmany.access")
log = logging.getLogger("goodmany.api")

SANE_ID = re.compile(r"[A-Za-z0-9._:=@/+-]{1,128}")
# What asks every few seconds whether all is well is no news.
QUIET_ROUTES = ("/livez", "/readyz", "/metrics")
NO_ROUTE = "none"
CLIENT_WENT = 499


class RequestObserver:
    """ASGI middleware around those that may answer.

    The id is the client's `X-Request-ID` if it is short and plain, else a new one; it goes back in
    every answer. Paths are logged as the route's template only: what a client writes into a path
    or a query (a secret, a line break) stays out of the logs.
    """

    def __init__(self, app: ASGIApp, metrics: HttpMetrics):
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("x-request-id", "")
        request_id = asked if SANE_ID.fullmatch(asked) else secrets.token_hex(16)
        start = time.monotonic()
        status, num_bytes = CLIENT_WENT, 0
        started = False

        async def observed_send(message: Message) -> None:
            nonlocal started, status, num_bytes
            if message["type"] == "http.response.start":
                started, status = True, message["status"]
                headers = [*message["headers"], (b"x-request-id", request_id.encode())]
                message = {**message, "headers": headers}
            num_bytes += len(message.get("body", b""))
            await send(message)

        with log_fields(request_id=request_id):
            try:
                await self.app(scope, receive, observed_send)
            except Exception as error:
                log.error("%s %s raised", scope["method"], _route(scope), exc_info=error)
                if started:
                    raise
                fault = InternalError("Something broke on our side; the log knows more.")
                await ProblemResponse(fault)(scope, receive, observed_send)
            finally:
                duration_s = time.monotonic() - start
                self.metrics.note(scope["method"], _route(scope), status, duration_s)
                _log_access(scope, status, num_bytes, duration_s)


def _log_access(scope: Scope, status: int, num_bytes: int, duration_s: float) -> None:
    route = _route(scope)
    fields: dict[str, object] = {
        "method": scope["method"],
        "route": route,
        "status": status,
        "duration_s": round(duration_s, 6),
        "num_bytes": num_bytes,
    }
    job_id = scope.get("path_params", {}).get("job_id", "")
    if JOB_ID.fullmatch(job_id):
        fields["job_id"] = job_id
    if owner := scope.get("state", {}).get("owner"):
        fields["key_id"] = owner
    level = logging.DEBUG if route in QUIET_ROUTES else logging.INFO
    access_log.log(level, "%s %s %d", scope["method"], route, status, extra={"fields": fields})


def _route(scope: Scope) -> str:
    """The template of the route that served the request."""
    return getattr(scope.get("route"), "path", NO_ROUTE)
