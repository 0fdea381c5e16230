"""Whatever is killed: every accepted job ends once, nothing is lost, no file is left over.

The task, Redis, the API and the workers are real processes; only the method is a quick one
(`tests/workers/generation/quick_pipeline.py`).
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from rq.command import send_stop_job_command
from rq.serializers import JSONSerializer

from app.jobs.model import JobRequest, JobState, new_job_id
from app.jobs.store import JobStore
from tests.conftest import wait_until
from tests.service_parts import PNG, ServiceParts

pytestmark = pytest.mark.slow

SUCCEEDED = JobState.succeeded
LONG = 40


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceParts]:
    """One API and one worker for all tests; a test that kills one starts another."""
    with ServiceParts(tmp_path_factory.mktemp("parts"), changes={"cancel_grace_s": 1}) as parts:
        parts.start_api()
        parts.start_worker()
        yield parts


@pytest.fixture
def worker(parts: ServiceParts) -> subprocess.Popen[bytes]:
    (worker,) = parts.workers
    return worker


def test_a_killed_child(parts: ServiceParts):
    job_ids = [parts.submit(LONG), parts.submit()]
    parts.wait_images(job_ids[0])
    (child,) = parts.child_pids()
    os.kill(child, signal.SIGKILL)
    parts.wait_over(job_ids)
    assert parts.count_states(job_ids) == {SUCCEEDED: 2}
    assert parts.child_pids() != [child]
    assert parts.faults(job_ids) == []


def test_a_child_that_is_killed_in_every_attempt(parts: ServiceParts):
    job_id = parts.submit(LONG)
    for _ in range(parts.settings.max_retries + 1):
        parts.wait_images(job_id)
        (child,) = parts.child_pids()
        os.kill(child, signal.SIGKILL)
        wait_until(lambda: parts.store.get(job_id).num_images == 0 or parts.is_over(job_id))
    parts.wait_over([job_id])
    problem = parts.store.get(job_id).problem
    assert problem is not None
    assert problem.type == "urn:goodmany:problem:worker-lost"
    assert parts.faults([job_id]) == []


def test_a_killed_worker(parts: ServiceParts, worker: subprocess.Popen[bytes]):
    job_ids = [parts.submit(LONG), parts.submit(priority="batch")]
    parts.wait_images(job_ids[0])
    parts.kill_worker(worker)
    parts.forget_dead_workers()
    parts.start_worker()
    parts.wait_over(job_ids)
    assert parts.count_states(job_ids) == {SUCCEEDED: 2}
    assert parts.faults(job_ids) == []


def test_a_killed_api(parts: ServiceParts):
    running, again = parts.submit(LONG), parts.submit(key="once")
    assert parts.api is not None
    parts.api.kill()
    parts.api.wait()
    # It was about to create a job whose images lay there already.
    parts.storage.write("0" * 32, "inputs/000", b"image")
    parts.start_api()
    assert parts.submit(key="once") == again
    parts.wait_over([running, again])
    assert parts.count_states([running, again]) == {SUCCEEDED: 2}
    assert parts.http.get(f"/v1/jobs/{running}/archive").is_success
    assert parts.faults([running, again]) == []
    assert "0" * 32 not in parts.storage.job_ids()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGKILL])
def test_redis_restarted_while_a_job_runs(parts: ServiceParts, stop: signal.Signals):
    child_pids = parts.child_pids()
    job_ids = [parts.submit(LONG), parts.submit(key=stop.name)]
    parts.wait_images(job_ids[0])
    parts.redis.process.send_signal(stop)
    parts.redis.process.wait()
    answer = parts.http.get(f"/v1/jobs/{job_ids[0]}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    parts.start_redis()
    assert parts.submit(key=stop.name) == job_ids[1]
    parts.wait_over(job_ids)
    assert parts.count_states(job_ids) == {SUCCEEDED: 2}
    # The worker has waited, with its models warm.
    assert parts.child_pids() == child_pids
    assert parts.faults(job_ids) == []


def test_redis_is_away_when_a_job_ends_and_the_stop_command_works_later(parts: ServiceParts):
    job_id = parts.submit(8)
    parts.wait_images(job_id)
    parts.kill_redis()
    archive = Path(parts.storage.path(job_id, "outputs"))
    wait_until(lambda: any(archive.glob("*/preview.png")))
    parts.start_redis()
    parts.wait_over([job_id])
    assert parts.store.state(job_id) is SUCCEEDED

    stopped = parts.submit(10 * LONG)
    parts.wait_images(stopped)
    wait_until(lambda: parts.connection.pubsub_channels("rq:pubsub:*") != [])
    send_stop_job_command(parts.connection, stopped, serializer=JSONSerializer)
    parts.wait_over([stopped])
    assert parts.store.state(stopped) is JobState.canceled
    assert parts.faults([job_id, stopped]) == []


def test_a_job_past_its_timeout(parts: ServiceParts):
    job_id = new_job_id()
    parts.storage.write(job_id, "inputs/000", PNG)
    hurried = parts.settings.model_copy(update={"job_timeout_s": 1})
    asked = JobRequest(object_name="nut", num_images=10 * LONG)
    JobStore(parts.connection, hurried).create(job_id, asked, 1)
    parts.wait_over([job_id])
    problem = parts.store.get(job_id).problem
    assert problem is not None
    assert problem.type == "urn:goodmany:problem:job-timed-out"
    assert parts.faults([job_id]) == []


def test_a_worker_that_is_told_to_stop_ends_its_job_and_takes_no_other(
    parts: ServiceParts, worker: subprocess.Popen[bytes]
):
    running, waiting = parts.submit(LONG), parts.submit()
    parts.wait_images(running)
    worker.terminate()
    assert worker.wait(30) == 0
    assert parts.store.state(running) is SUCCEEDED
    assert parts.store.state(waiting) is JobState.queued
    parts.workers.remove(worker)
    parts.start_worker()
    parts.wait_over([waiting])
    assert parts.faults([running, waiting]) == []


def test_worker_and_redis_killed_at_once(parts: ServiceParts, worker: subprocess.Popen[bytes]):
    job_ids = [parts.submit(LONG), parts.submit(), parts.submit(priority="batch")]
    parts.wait_images(job_ids[0])
    parts.kill_redis()
    parts.kill_worker(worker)
    parts.start_redis()
    parts.forget_dead_workers()
    parts.start_worker()
    parts.wait_over(job_ids)
    assert parts.count_states(job_ids) == {SUCCEEDED: 3}
    assert parts.faults(job_ids) == []


def test_a_job_that_is_canceled_in_mid_work(parts: ServiceParts):
    job_id = parts.submit(10 * LONG)
    parts.wait_images(job_id)
    child_pids = parts.child_pids()
    assert parts.http.post(f"/v1/jobs/{job_id}/cancel").status_code == 202
    parts.wait_over([job_id])
    assert parts.store.state(job_id) is JobState.canceled
    # It has stopped by itself, at its next step.
    assert parts.child_pids() == child_pids
    assert parts.faults([job_id]) == []
