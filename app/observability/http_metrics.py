"""What is counted of HTTP requests, in this process."""

from prometheus_client import CollectorRegistry, Counter, Histogram

# Anybody may make up a method; each would be a time series of its own.
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
OTHER_METHOD = "OTHER"


class HttpMetrics:
    """Requests by method, route template and status."""

    def __init__(self, registry: CollectorRegistry):
        self.requests = Counter(
            "goodmany_http_requests",
            "HTTP requests.",
            ["method", "route", "status"],
            registry=registry,
        )
        self.durations = Histogram(
            "goodmany_http_request_duration_seconds",
            "How long HTTP requests took, to the last byte of the answer.",
            ["method", "route"],
            registry=registry,
        )

    def note(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Counts one request."""
        method = method if method in METHODS else OTHER_METHOD
        self.requests.labels(method, route, str(status)).inc()
        self.durations.labels(method, route).observe(duration_s)
