"""One real job of `goodmany serve`, as operators see it: log lines, a scrape and a trace."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import encode, texture, wait_until
from tests.workers.otlp_receiver import OtlpReceiver

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
STAGES = {"prompt", "adapt", "rounds", "fill", "archive"}
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
ASKED = {"object_name": "wall", "num_images": 2, "image_size": 64, "effort": "draft"}


@dataclass
class Observed:
    """A succeeded job and all that the service said of it."""

    job: dict[str, Any]
    events: list[dict[str, Any]]
    samples: dict[str, list[tuple[dict[str, str], float]]]
    spans: list[tuple[str, Span]]


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    folder = tmp_path_factory.mktemp("observed")
    log = folder / "log"
    with OtlpReceiver() as receiver, log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.cli", "serve", "--port=0", f"--data-dir={folder}/data"],
            env={
                **os.environ,
                "GOODMANY_LOG_FORMAT": "json",
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.address,
            },
            stdout=file,
            stderr=file,
        )
        try:
            wait_until(lambda: "jobs are worked on" in log.read_text())
            address = re.search(r"http://127\.0\.0\.1:\d+(?=,)", log.read_text())
            assert address is not None
            with httpx2.Client(base_url=address[0], timeout=90) as http:
                job, text = use(http)
        finally:
            process.terminate()
            process.wait(60)
        assert process.returncode == 0
        samples: dict[str, list[tuple[dict[str, str], float]]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                samples.setdefault(sample.name, []).append((sample.labels, sample.value))
        events = [json.loads(line) for line in log.read_text().splitlines()]
        yield Observed(job, events, samples, receiver.spans)


def use(http: httpx2.Client) -> tuple[dict[str, Any], str]:
    """A whole job, a request for nothing, and the scrape after both."""
    headers = {"X-Request-ID": "order-7", "traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01"}
    files = [("images", ("a.png", encode(texture((96, 96)))))]
    link = http.post("/v1/jobs", data=ASKED, files=files, headers=headers).headers["location"]
    for _ in range(10):
        job = http.get(link, headers={"Prefer": "wait=10"}).json()
        if job["state"] not in ("queued", "running"):
            break
    assert job["state"] == "succeeded"
    assert http.get(job["links"]["archive"]).status_code == 200
    http.get("/secret/path")
    # A job is counted when it has succeeded; until then the counter is there, at 0.
    counted = re.compile(r"^goodmany_images_made_total(\{.*\})? [1-9]", re.MULTILINE)
    wait_until(lambda: counted.search(http.get("/metrics").text))
    return job, http.get("/metrics").text


def test_every_line_of_every_process_is_json(observed: Observed):
    for event in observed.events:
        assert {"time", "level", "logger", "message"} <= event.keys()
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"])
    loggers = {event["logger"] for event in observed.events}
    assert {"goodmany.serve", "goodmany.access", "goodmany.worker", "uvicorn.error"} <= loggers


def test_the_request_id_goes_with_the_job_through_all_processes(observed: Observed):
    told = [e for e in observed.events if e.get("request_id") == "order-7"]
    accepted = [e["logger"] for e in told if e.get("job_id") == observed.job["id"]]
    # The API's, the worker's (RQ's own too) and the warm child's.
    assert {"goodmany.api", "rq.worker", "goodmany.worker"} <= set(accepted)
    (access,) = [e for e in told if e["logger"] == "goodmany.access"]
    assert (access["method"], access["route"], access["status"]) == ("POST", "/v1/jobs", 202)
    assert access["duration_s"] > 0
    assert access["num_bytes"] > 0
    assert access["trace_id"] == TRACE_ID


def test_no_line_holds_a_path_that_a_client_made_up(observed: Observed):
    assert "secret" not in json.dumps(observed.events)


def value(observed: Observed, name: str, **labels: str) -> float:
    (found,) = [v for known, v in observed.samples[name] if labels.items() <= known.items()]
    return found


def test_the_scrape_shows_what_the_worker_did(observed: Observed):
    num_images = observed.job["num_images"]
    assert value(observed, "goodmany_images_made_total") == num_images
    assert value(observed, "goodmany_jobs", state="succeeded") == 1
    assert value(observed, "goodmany_workers") == 1
    assert value(observed, "goodmany_redis_up") == 1
    for stage in STAGES:
        assert value(observed, "goodmany_stage_duration_seconds_count", stage=stage) == 1
    for stage in ("prompt", "adapt", "fill"):  # a draft has no rounds
        assert value(observed, "goodmany_stage_duration_seconds_sum", stage=stage) > 0
    running = {"state": "running", "next_state": "succeeded"}
    job_s = value(observed, "goodmany_job_state_duration_seconds_sum", **running)
    stages_s = sum(v for _, v in observed.samples["goodmany_stage_duration_seconds_sum"])
    assert stages_s <= job_s + 0.01
    reasons = {labels["reason"] for labels, _ in observed.samples["goodmany_images_rejected_total"]}
    assert {"anomalous", "near_copy"} <= reasons


def test_one_trace_leads_from_the_request_to_the_archive(observed: Observed):
    trace = [(s, span) for s, span in observed.spans if span.trace_id.hex() == TRACE_ID]
    spans = {span.name: (service, span) for service, span in trace}
    assert set(spans) == {"POST /v1/jobs", "job", *(f"stage {stage}" for stage in STAGES)}
    service, request = spans["POST /v1/jobs"]
    assert (service, request.parent_span_id.hex()) == ("goodmany-api", "b7ad6b7169203331")
    service, job = spans["job"]
    assert (service, job.parent_span_id) == ("goodmany-worker", request.span_id)
    attributes = {a.key: a.value.string_value for a in job.attributes}
    assert attributes["goodmany.job.id"] == observed.job["id"]
    for stage in STAGES:
        service, span = spans[f"stage {stage}"]
        assert (service, span.parent_span_id) == ("goodmany-worker", job.span_id)
        assert (
            job.start_time_unix_nano
            <= span.start_time_unix_nano
            <= span.end_time_unix_nano
            <= job.end_time_unix_nano
        )


def test_health_and_scrapes_are_not_traced(observed: Observed):
    assert not [span.name for _, span in observed.spans if "metrics" in span.name]


def expressions() -> Iterator[str]:
    dashboard = json.loads((ROOT / "docker/grafana-dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"]


def test_every_expression_of_the_dashboard_finds_its_metrics_and_labels(observed: Observed):
    absent_on_a_cpu = re.compile(r"goodmany_device_memory_(allocated|reserved|total)_bytes")
    for expression in expressions():
        bare = re.sub(r"\{[^}]*\}", "", expression)
        names = set(re.findall(r"\b(?:goodmany|process)_\w+", bare))
        assert names, expression
        if all(absent_on_a_cpu.fullmatch(name) for name in names):
            continue
        assert names <= observed.samples.keys(), expression
        labels = {label for name in names for known, _ in observed.samples[name] for label in known}
        used = set(re.findall(r"(\w+)=~?\"", expression))
        for group in re.findall(r"\bby \(([^)]*)\)", expression):
            used |= {label.strip() for label in group.split(",")}
        assert used <= labels, expression
