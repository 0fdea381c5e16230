"""Hosts whose clocks are a week apart work on the same jobs as if they were not.

Their processes run with a library that shifts the clock; Redis, the API and this test have the
right time.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.jobs.model import JobState
from tests.conftest import wait_until
from tests.service_parts import ServiceParts
from tests.workers.courier.courier_process import CourierProcess
from tests.workers.courier.receiver import Receiver
from tests.workers.courier.webhook_jobs import CHANGES, over

pytestmark = pytest.mark.slow

WEEK_S = 7 * 24 * 3600
AHEAD, BEHIND = str(WEEK_S), str(-WEEK_S)
SHIFTED_CLOCK = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && clock == CLOCK_REALTIME) now->tv_sec += atol(getenv("CLOCK_AHEAD_S"));
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *told) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (told) *told = now.tv_sec;
    return now.tv_sec;
}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a process preloads to have another time."""
    if shutil.which("gcc") is None:
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("clock")
    (folder / "clock.c").write_text(SHIFTED_CLOCK)
    command = ["gcc", "-shared", "-fPIC", "-o", "clock.so", "clock.c"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "clock.so"


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[ServiceParts]:
    changes = {**CHANGES, "results_ttl_s": 24 * 3600}
    with ServiceParts(tmp_path, changes=changes) as parts:
        parts.start_api()
        yield parts


@pytest.fixture
def shift(library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Gives the processes that are started from now on another time."""

    def shift_clock(ahead_s: str) -> None:
        monkeypatch.setenv("LD_PRELOAD", str(library))
        monkeypatch.setenv("CLOCK_AHEAD_S", ahead_s)

    yield shift_clock
    monkeypatch.undo()


def test_workers_a_fortnight_apart_all_count_and_take_no_job_from_each_other(
    parts: ServiceParts, shift: Callable[[str], None]
):
    shift(BEHIND)
    parts.start_worker()
    job_id = parts.submit(200)
    parts.wait_images(job_id)
    # What it looks at first is whose jobs are abandoned.
    shift(AHEAD)
    parts.start_worker()
    assert parts.num_live_workers() == 2
    wait_until(lambda: parts.connection.exists("goodmany:orphans-lock") == 1)
    parts.wait_over([job_id])
    assert parts.count_states([job_id]) == {JobState.succeeded: 1}
    events = parts.connection.xrange(f"goodmany:job:{job_id}:events")
    attempts = [fields for _, fields in events if fields[b"percent"] == b"0"]
    assert [fields[b"state"] for fields in attempts] == [b"queued", b"running"]
    job = parts.store.get(job_id)
    assert job.started_at is not None
    assert job.ended_at is not None
    assert job.created_at <= job.started_at <= job.ended_at
    assert parts.http.get(f"/v1/jobs/{job_id}/archive").is_success
    assert parts.faults([job_id]) == []


@pytest.mark.parametrize("clock", [AHEAD, BEHIND])
def test_a_worker_of_any_time_does_jobs_that_are_kept_as_long_as_they_should(
    parts: ServiceParts, shift: Callable[[str], None], clock: str
):
    shift(clock)
    parts.start_worker()
    job_ids = [parts.submit(), parts.submit()]
    parts.wait_over(job_ids)
    assert parts.count_states(job_ids) == {JobState.succeeded: 2}
    assert parts.http.get("/readyz").is_success
    assert parts.faults(job_ids) == []


def test_the_next_try_of_a_webhook_is_made_by_a_courier_of_another_time(
    parts: ServiceParts, receiver: Receiver, shift: Callable[[str], None]
):
    job_id = parts.submit(callback_url=receiver.url("/500/200"))
    shift(BEHIND)
    courier = CourierProcess(parts.settings)
    try:
        assert parts.http.post(f"/v1/jobs/{job_id}/cancel").status_code == 202
        tries = over(parts.store, job_id)
    finally:
        courier.stop()
    assert [found.outcome for found in tries] == ["failed", "delivered"]
    ended_at = parts.store.get(job_id).ended_at
    assert ended_at is not None
    assert all(found.at >= ended_at for found in tries)
