"""Whether the API keeps what its OpenAPI document says: schemathesis asks for as long as wished.

    python -m benchmarks.contract [--seconds 600] [--seed N]

Starts the real service with a worker that needs no models, and has schemathesis send it examples,
edge cases, random requests good and bad, and sequences that follow the document's links. Its checks
and what it has to be told are in `tests/contract/`. Ends with 1 when anything was found.
"""

import argparse
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from rq import Queue
from rq.worker_registration import get_keys

import app.jobs.store
from app.base.redis_connection import connect
from app.jobs.queues.enqueue import VIEWS_QUEUE
from app.settings import Settings
from tests.conftest import wait_until
from workers.serve.api_server import ApiServer
from workers.serve.service import EmbeddedService

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "tests" / "contract" / "schemathesis.toml"
LOADER = "TEST_LOADER=tests.contract.small_job:load"
VIEWER = (sys.executable, "-m", "tests.workers.viewer.quick_viewer")
WORKER = ("env", LOADER, sys.executable, "-m", "tests.workers.generation.run_worker")


@dataclass(frozen=True)
class Outcome:
    """What schemathesis said in the end, and the answers that it got by status."""

    passed: bool
    report: str
    answers: Counter[int]


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a service whose jobs are those of `tests/contract/small_job.py`."""
    before, app.jobs.store.TASK = app.jobs.store.TASK, "tests.contract.small_job.run"
    try:
        settings = Settings(data_dir=folder, shutdown_grace_s=1)
        with EmbeddedService(settings, WORKER, VIEWER) as service:
            server = ApiServer(service.settings, "127.0.0.1", 0, service.fault)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [server.socket]})
            thread.start()
            try:
                wait_until(service.is_ready, 60)
                prompts = f"{server.address}/v1/prompts?object_name=nut"
                wait_until(lambda: httpx2.get(prompts, timeout=30).is_success, 60)
                views = Queue(VIEWS_QUEUE, connection=connect(service.settings.redis_url))
                wait_until(lambda: bool(get_keys(views)), 60)
                yield server.address
            finally:
                server.should_exit = True
                thread.join()
    finally:
        app.jobs.store.TASK = before


def check(address: str, folder: Path, *options: str) -> Outcome:
    """Runs schemathesis with all its phases against the service; its files go to `folder`."""
    har = folder / "traffic.har"
    command = [
        f"{sysconfig.get_path('scripts')}/schemathesis",
        *("--config-file", str(CONFIG), "run", f"{address}/openapi.json"),
        *("--no-color", "--report", "har", "--report-har-path", str(har)),
        *options,
    ]
    variables = {"SCHEMATHESIS_HOOKS": "tests.contract.hooks", "PYTHONPATH": str(ROOT)}
    environment = {**os.environ, **variables}
    # Where it runs it leaves a cache.
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    entries = json.loads(har.read_text())["log"]["entries"] if har.exists() else []
    answers = Counter(int(entry["response"]["status"]) for entry in entries)
    return Outcome(done.returncode == 0, done.stdout + done.stderr, answers)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, help="else another one in each run")
    chosen = parser.parse_args()
    options = ["--max-time", str(chosen.seconds), "--max-examples", "1000"]
    options += ["--generation-database", "none"]
    if chosen.seed is not None:
        options += ["--seed", str(chosen.seed)]
    with tempfile.TemporaryDirectory() as folder, served(Path(folder) / "data") as address:
        outcome = check(address, Path(folder), *options)
    print(outcome.report)
    print("answers by status:", dict(sorted(outcome.answers.items())))
    return 0 if outcome.passed else 1


if __name__ == "__main__":
    sys.exit(main())
