"""One line an event: text for a person at a terminal, or JSON for whatever collects logs.

What an event belongs to (`request_id`, `job_id`) is told once, by `log_fields`, and stands on every
line until the block ends, other modules' lines included.
"""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType

from opentelemetry import trace

from app.settings import Settings

TEXT_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
NOTHING: Mapping[str, str] = MappingProxyType({})

_fields: ContextVar[Mapping[str, str]] = ContextVar("log_fields", default=NOTHING)


@contextmanager
def log_fields(**fields: str) -> Iterator[None]:
    """Puts the fields on every line that is logged within the block, in its threads too."""
    token = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


def current_log_fields() -> Mapping[str, str]:
    """What stands on the lines that are logged just now."""
    return _fields.get()


class JsonFormatter(logging.Formatter):
    """One JSON object a line, ASCII, so that nothing in it can break the line.

    A record's own `fields` (`log.info(..., extra={"fields": {...}})`) are keys of the object.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON: time (RFC 3339, UTC), level, logger, message, fields, exception."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        event: dict[str, object] = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields.get(),
            **getattr(record, "fields", NOTHING),
        }
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            event["trace_id"] = trace.format_trace_id(span.trace_id)
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return json.dumps(event, default=str)


def logs_are_json() -> bool:
    """Whether a line that is no JSON would be a stranger among what this process writes."""
    return any(isinstance(handler.formatter, JsonFormatter) for handler in logging.root.handlers)


def start_logging(settings: Settings) -> None:
    """Sends everything that this process logs to its standard error, in the form that is set.

    With JSON, warnings and what nobody catches become lines like all others.
    """
    handler = logging.StreamHandler()
    if settings.log_format == "json":
        handler.setFormatter(JsonFormatter())
        logging.captureWarnings(True)
        sys.excepthook = lambda kind, error, trace: logging.getLogger("goodmany").critical(
            "nobody caught this", exc_info=(kind, error, trace)
        )
    else:
        handler.setFormatter(logging.Formatter(TEXT_FORMAT))
    logging.basicConfig(level=settings.log_level, handlers=[handler])
    # One line for every call of ours to others is too much.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
