"""`goodmany serve` and `goodmany worker` as processes: where they keep things, how they end."""

import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from app.jobs.store import JobStore
from app.retention.sweep import ORPHANS_LOCK_KEY
from app.settings import Settings
from tests.conftest import PATIENCE_S, encode, texture, wait_until
from tests.processes import alive, descendants

Start = Callable[..., subprocess.Popen[bytes]]
# `goodmany worker` without models.
WORKER = """
import sys
from workers.generation.worker import WarmWorker
WarmWorker.__init__.__kwdefaults__["loader"] = sys.argv.pop()
from workers.cli.main import main
main()
"""
LOADER = "tests.workers.generation.job_functions:load_nothing"


@pytest.fixture
def start(settings: Settings, tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def start_process(*command: str, **variables: str) -> subprocess.Popen[bytes]:
        with (tmp_path / "process.log").open("ab") as log:
            started.append(
                subprocess.Popen(
                    [sys.executable, *command],
                    env={**os.environ, "GOODMANY_REDIS_URL": settings.redis_url, **variables},
                    stdout=log,
                    stderr=log,
                )
            )
        return started[-1]

    yield start_process
    for process in started:
        children = descendants(process.pid) if process.poll() is None else set()
        process.kill()
        process.wait()
        wait_until(lambda children=children: not alive(children))


def test_serve_keeps_everything_where_the_setting_says(start: Start, tmp_path: Path):
    (tmp_path / "here").mkdir()
    folder = tmp_path / "set"
    command = ["-m", "workers.cli", "serve", "--port", "0"]
    start(*command, GOODMANY_DATA_DIR=str(folder), PYTHONPATH=str(Path.cwd()))
    wait_until((folder / "redis" / "redis.sock").exists)
    other = tmp_path / "option"
    start(*command, "--data-dir", str(other), GOODMANY_DATA_DIR=str(folder))
    wait_until((other / "redis" / "redis.sock").exists)


def test_nobody_else_can_read_what_serve_keeps(start: Start, tmp_path: Path):
    folder, log = tmp_path / "data", tmp_path / "process.log"
    before = os.umask(0o022)
    try:
        start("-m", "workers.cli", "serve", "--port", "0", "--data-dir", str(folder))
    finally:
        os.umask(before)
    wait_until(lambda: "listening at" in log.read_text())
    address = re.search(r"http://\S+:\d+", log.read_text())
    assert address is not None
    files = [("images", ("a.png", encode(texture())))]
    answer = httpx2.post(f"{address[0]}/v1/jobs", data={"object_name": "nut"}, files=files)
    assert answer.status_code == 202
    for path in (folder, *folder.rglob("*")):
        mode = stat.S_IMODE(path.lstat().st_mode)
        # Redis makes its socket as it is told, for its user alone.
        wanted = 0o600 if path.is_file() else 0o700
        assert (str(path), oct(mode)) == (str(path), oct(wanted))
    assert {"redis.log", "lock", "000"} <= {path.name for path in folder.rglob("*")}


@pytest.mark.parametrize(
    ("is_fault", "code"), [(True, 1), (False, 0)], ids=["by a fault", "by a signal"]
)
def test_a_workers_exit_code_says_whether_it_ended_by_a_fault(
    start: Start, store: JobStore, tmp_path: Path, is_fault: bool, code: int
):
    worker = start("-c", WORKER, "worker", LOADER, GOODMANY_DATA_DIR=str(tmp_path))
    # It has begun its work, and heeds signals.
    wait_until(lambda: bool(store.connection.exists(ORPHANS_LOCK_KEY)))
    if is_fault:
        # No queue: something that RQ does not get over.
        store.connection.set(store.queues[0].key, "text")
    else:
        worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_S) == code
    said = (tmp_path / "process.log").read_text()
    assert ("ended by a fault" in said) == is_fault
