"""What every request passes before it reaches a route, in one order."""

import redis
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware

from app.access.api_keys import ApiKeys
from app.access.request_rate import RequestRate
from app.http.middleware.behind_proxy import BehindProxy
from app.http.middleware.head_requests import HeadRequests
from app.http.middleware.request_observer import RequestObserver
from app.http.middleware.require_key import Access
from app.http.middleware.security_headers import SecurityHeaders
from app.http.middleware.upload_limit import UploadLimit
from app.observability.http_metrics import HttpMetrics
from app.settings import Settings

# What a page of another origin may send and see beside what browsers let through anyway.
READ_HEADERS = [
    "Authorization",
    "Idempotency-Key",
    "Last-Event-ID",
    "Prefer",
    "Range",
    "X-Request-ID",
]
TOLD_HEADERS = [
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
]


def install_middleware(
    app: FastAPI,
    settings: Settings,
    connection: redis.Redis,
    *,
    metrics: HttpMetrics,
    key_required: bool,
) -> None:
    """Adds them from the innermost to the outermost.

    `Access` raises problems, which `app.exception_handlers` answer. `RequestObserver` answers what
    nobody caught; the headers and CORS are outside of it, so that a 500 has those too. All of them
    go by what `BehindProxy` makes of the request.
    """
    app.add_middleware(HeadRequests)
    origins = [origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()]
    app.add_middleware(
        Access,
        api_keys=ApiKeys(connection),
        request_rate=RequestRate(connection, settings.max_requests_per_minute),
        # At a loopback address each request is looked at, unless the settings say what to do.
        required=None if settings.require_api_key == "auto" and not key_required else key_required,
        origins=origins,
    )
    app.add_middleware(ExceptionMiddleware, handlers=app.exception_handlers)
    app.add_middleware(
        UploadLimit, max_bytes=settings.max_upload_bytes, timeout_s=settings.upload_timeout_s
    )
    app.add_middleware(RequestObserver, metrics=metrics)
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "HEAD", "POST", "DELETE"],
            allow_headers=READ_HEADERS,
            expose_headers=TOLD_HEADERS,
        )
    app.add_middleware(SecurityHeaders)
    app.add_middleware(BehindProxy, root_path=settings.root_path, trusted=settings.trusted_proxies)
