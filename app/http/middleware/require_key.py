"""Who may come in: asks for an API key before anything of the request's body is read."""

from collections.abc import Collection

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.api_keys import ApiKeys
from app.access.loopback import is_for_loopback, is_loopback
from app.access.request_rate import Allowance, RequestRate
from app.http.middleware.behind_proxy import route_path
from app.http.openapi.docs_page import (
    DOCS_PATH,
    ICON_PATH,
    OPENAPI_PATH,
    SCRIPT_PATH,
    STYLE_PATH,
)
from app.http.page.page import PAGE_PATHS
from app.problems import Unauthorized
from app.settings import Settings

# Everything else needs a key, a route that is added tomorrow too.
OPEN_PATHS = frozenset(
    {
        *("/livez", "/readyz", "/metrics", OPENAPI_PATH),
        *(DOCS_PATH, SCRIPT_PATH, STYLE_PATH, ICON_PATH),
        *PAGE_PATHS,
    }
)


def needs_api_key(settings: Settings, host: str | None) -> bool:
    """Whether a key is asked for by an API that listens at `host`; None when it is not known."""
    if settings.require_api_key == "auto":
        return not is_loopback(host)
    return settings.require_api_key == "always"


class Access:
    """ASGI middleware that says whose a request is and whether the key may send it now.

    The key's id becomes `request.state.owner`; "" for whoever comes without, where that is allowed.
    At a loopback address a key that is sent all the same is looked at; only where the settings say
    that none is ever asked for, another `Authorization` is none of our business.

    Args:
        app: what is guarded.
        api_keys: the keys that are known.
        request_rate: counts each key's requests.
        required: whether a key is asked for; if None, unless the request is for loopback.
        origins: web pages elsewhere whose requests count as being for loopback.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        api_keys: ApiKeys,
        request_rate: RequestRate,
        required: bool | None,
        origins: Collection[str],
    ):
        self.app, self.api_keys, self.request_rate = app, api_keys, request_rate
        self.required, self.origins = required, origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request; an `Unauthorized` or `TooManyRequests` is raised to the outside."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["owner"] = ""
        allowance: Allowance | None = None
        headers = Headers(scope=scope)
        if route_path(scope) not in OPEN_PATHS and self._is_looked_at(headers, scope):
            text = _bearer(headers)
            state["owner"], allowance = await run_in_threadpool(self._admit, text)

        async def send_with_allowance(message: Message) -> None:
            if allowance is not None and message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(allowance.headers)
            await send(message)

        await self.app(scope, receive, send_with_allowance)

    def _is_looked_at(self, headers: Headers, scope: Scope) -> bool:
        if self.required is not None:
            return self.required
        is_sent = headers.get("authorization", "").lower().startswith("bearer ")
        return is_sent or not is_for_loopback(headers, scope["http_version"], self.origins)

    def _admit(self, text: str) -> tuple[str, Allowance | None]:
        key_id = self.api_keys.check(text)
        return key_id, self.request_rate.take(key_id)


def _bearer(headers: Headers) -> str:
    """The key in `Authorization`.

    Raises:
        Unauthorized: there is none.
    """
    scheme, _, text = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized("Send an API key, as `Authorization: Bearer gm_...`.")
    return text.strip()
