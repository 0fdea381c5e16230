"""What a worker's two processes say and trace of jobs that go wrong."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from app.jobs.store import JobStore
from app.observability.logs import log_fields
from app.settings import Settings
from tests.conftest import wait_until
from tests.workers.generation.jobs_under_test import JobsUnderTest
from tests.workers.otlp_receiver import OtlpReceiver


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture
def log(settings: Settings, receiver: OtlpReceiver, tmp_path: Path) -> Iterator[Path]:
    """Where a running worker writes."""
    path = tmp_path / "log"
    with path.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.workers.generation.run_worker"],
            env={
                **os.environ,
                "GOODMANY_LOG_FORMAT": "json",
                "GOODMANY_REDIS_URL": settings.redis_url,
                "GOODMANY_DATA_DIR": str(settings.data_dir),
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.address,
                "OTEL_BSP_SCHEDULE_DELAY": "50",
            },
            stdout=file,
            stderr=file,
        )
        yield path
        process.terminate()
        process.wait(30)


def events_of(log: Path, job_id: str) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in log.read_text().splitlines()]
    return [event for event in events if event.get("job_id") == job_id]


def test_the_child_tells_why_and_the_parent_tells_of_the_childs_death(
    store: JobStore, monkeypatch: pytest.MonkeyPatch, log: Path, receiver: OtlpReceiver
):
    jobs = JobsUnderTest(store, monkeypatch)
    with log_fields(request_id="r-1"):
        raised = jobs.submit("fail")
    assert jobs.problem_slug(raised) == "generation-failed"
    (why,) = [event for event in events_of(log, raised) if "exception" in event]
    assert why["request_id"] == "r-1"
    assert why["exception"].endswith("ZeroDivisionError: the secret reason")

    # A child that dies takes the spans along that it has not sent yet: so they come first.
    wait_until(lambda: bool(receiver.spans))
    (_, span) = receiver.spans[0]
    assert span.name == "job"
    assert span.status.code == Status.STATUS_CODE_ERROR
    assert span.trace_id.hex() == why["trace_id"]

    with log_fields(request_id="r-1"):
        crashed = jobs.submit("exit_child")
    assert jobs.problem_slug(crashed) == "worker-lost"
    lost = [event for event in events_of(log, crashed) if "queued again" in event["message"]]
    assert [event["request_id"] for event in lost] == ["r-1"]
