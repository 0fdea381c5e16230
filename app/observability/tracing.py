"""Traces for OpenTelemetry: from a request through the queue to the archive.

FastAPI (`app/http/request_spans.py`) and our own code make spans through OpenTelemetry's API, which
does nothing by itself. Only `start_tracing` brings in the SDK, and only when an OTLP endpoint is
set.
"""

import logging
import os
from collections.abc import Mapping
from typing import Any

from opentelemetry import propagate, trace

from app.observability.logs import current_log_fields

log = logging.getLogger("goodmany")

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def start_tracing(service: str) -> None:
    """Sends the spans of this process to `OTEL_EXPORTER_OTLP_ENDPOINT`, if it is set.

    OpenTelemetry's other variables (headers, sampler, service name) mean what they always do.
    """
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        log.warning("no traces are sent: goodmany[otel] is not installed")
        return
    name = os.environ.get("OTEL_SERVICE_NAME", service)
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def log_fields_of(meta: Mapping[str, Any]) -> dict[str, str]:
    """The log fields that a job took along; none of a job that another version has queued."""
    return _texts(meta, "log_fields")


def trace_of(meta: Mapping[str, Any]) -> dict[str, str]:
    """The trace that a job took along."""
    return _texts(meta, "trace")


def _texts(meta: object, name: str) -> dict[str, str]:
    found = meta.get(name) if isinstance(meta, Mapping) else None
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, Mapping) else {}


def current_origin() -> dict[str, dict[str, str]]:
    """What a job takes along through the queue: its request's id for logs, its trace for spans."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return {"log_fields": dict(current_log_fields()), "trace": carrier}
