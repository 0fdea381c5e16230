"""A real process that dies, once or again and again."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from tests.conftest import wait_until
from workers.serve import kept_process
from workers.serve.kept_process import MAX_DEATHS, KeptProcess

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
FAIL = [sys.executable, "-c", "raise SystemExit(3)"]


@pytest.fixture(autouse=True)
def short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_process, "FIRST_PAUSE_S", 0.01)


@pytest.fixture
def sleeper() -> Iterator[KeptProcess]:
    kept = KeptProcess("sleeper", SLEEP, {})
    yield kept
    kept.stop()


def kill(kept: KeptProcess) -> int:
    """Ends the process; its id."""
    os.kill(kept.process.pid, signal.SIGKILL)
    return kept.process.pid


def test_a_living_process_is_left_alone(sleeper: KeptProcess):
    pid = sleeper.process.pid
    assert sleeper.look_after() is None
    assert sleeper.process.pid == pid


def test_a_killed_process_is_started_again(sleeper: KeptProcess):
    pid = kill(sleeper)
    wait_until(lambda: sleeper.look_after() is None and sleeper.process.pid != pid)
    assert sleeper.process.poll() is None


def test_one_that_always_dies_is_given_up():
    starts: list[None] = []
    kept = KeptProcess("failure", FAIL, {}, lambda: starts.append(None))
    reasons: list[str] = []
    wait_until(lambda: bool(reason := kept.look_after()) and not reasons.append(reason))
    assert reasons == ["The failure ended with exit code 3, time and again"]
    assert len(starts) == MAX_DEATHS - 1
    assert kept.process.poll() == 3


def test_deaths_that_lie_far_apart_do_not_add_up(
    sleeper: KeptProcess, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(kept_process, "LIVED_WELL_S", 0.0)
    for _ in range(MAX_DEATHS + 1):
        pid = kill(sleeper)
        wait_until(lambda pid=pid: sleeper.look_after() is None and sleeper.process.pid != pid)


def test_another_start_may_be_in_vain():
    kept = KeptProcess("failure", FAIL, {}, lambda: "no models")
    reasons: list[str] = []
    wait_until(lambda: bool(reason := kept.look_after()) and not reasons.append(reason))
    assert reasons == ["The failure ended with exit code 3: no models"]


def test_a_process_that_does_not_heed_is_killed():
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True)"
    kept = KeptProcess("stubborn", [sys.executable, "-c", f"{stubborn}; time.sleep(600)"], {})
    kept.stop(0.1, 0.1)
    assert kept.process.poll() is not None
