"""A job's spans: one around it all, which goes on with the trace of its request, one a stage."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, StatusCode

tracer = trace.get_tracer("goodmany")


@contextmanager
def job_span(job_id: str, carrier: Mapping[str, str]) -> Iterator[None]:
    """The span of one attempt at a job.

    Args:
        job_id: of the job.
        carrier: the trace that the job's request belongs to, as `current_origin` has it.
    """
    context = propagate.extract(carrier)
    attributes = {"goodmany.job.id": job_id}
    with tracer.start_as_current_span(
        "job", context=context, kind=SpanKind.CONSUMER, attributes=attributes
    ):
        yield


def note_failure(error: BaseException) -> None:
    """Puts the error on the current span."""
    span = trace.get_current_span()
    span.record_exception(error)
    span.set_status(StatusCode.ERROR)


class StageSpans:
    """One span after the other, within the current one."""

    def __init__(self) -> None:
        self._stage: str | None = None
        self._span: Span | None = None

    def enter(self, stage: str) -> None:
        """Ends the span of the stage before, unless it is still the same stage."""
        if stage != self._stage:
            self.close()
            self._stage, self._span = stage, tracer.start_span(f"stage {stage}")

    def close(self) -> None:
        """Ends the last stage's span."""
        if self._span is not None:
            self._span.end()
            self._span = None
