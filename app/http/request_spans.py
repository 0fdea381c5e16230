"""Which requests FastAPI makes a span for.

Apart from `app/observability/tracing.py`, which workers import too: they need no FastAPI.
"""

from fastapi.telemetry import TelemetryConfig
from starlette.types import Scope

# What asks every few seconds whether all is well is no news.
QUIET_PATHS = frozenset(("/livez", "/readyz", "/metrics"))


def _is_quiet(scope: Scope) -> bool:
    return scope.get("path", "").removeprefix(scope.get("root_path", "")) in QUIET_PATHS


# A span for each request and nothing more: logs and metrics are ours.
HTTP_TELEMETRY: TelemetryConfig = {
    "auto_configure": False,
    "exclude": _is_quiet,
    "logs": False,
    "metrics": False,
    "operation_spans": False,
}
