"""Services that the docs' code talks to: one with the real models, one that is quick."""

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from rq import Queue
from rq.worker_registration import get_keys

from app.base.redis_connection import connect
from app.jobs.queues.enqueue import VIEWS_QUEUE
from app.settings import Settings
from tests.conftest import wait_until
from tests.service_parts import QUICK
from workers.serve.service import WORKER_COMMAND, ApiServer, EmbeddedService

QUICK_WORKER = (
    *("env", f"TEST_LOADER={QUICK}"),
    *(sys.executable, "-m", "tests.workers.generation.run_worker"),
)
QUICK_VIEWER = (sys.executable, "-m", "tests.workers.viewer.quick_viewer")


@dataclass(frozen=True)
class RunningService:
    """One that is ready.

    Attributes:
        host: address and port.
        data_dir: its folder.
    """

    host: str
    data_dir: Path


@contextmanager
def running(folder: Path, worker_command: Sequence[str]) -> Iterator[RunningService]:
    """All of `goodmany serve`, which may tell its webhooks to this machine; its viewer is quick."""
    settings = Settings(data_dir=folder, webhook_allow_private="127.0.0.0/8", shutdown_grace_s=1)
    with EmbeddedService(settings, worker_command, QUICK_VIEWER) as service:
        server = ApiServer(service.settings, "127.0.0.1", 0, service.fault)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [server.socket]})
        thread.start()
        try:
            wait_until(lambda: service.fault() is not None or service.is_ready())
            assert service.fault() is None
            prompts = f"{server.address}/v1/prompts?object_name=nut"
            wait_until(lambda: httpx2.get(prompts, timeout=90).is_success)
            queue = Queue(VIEWS_QUEUE, connection=connect(service.settings.redis_url))
            wait_until(lambda: bool(get_keys(queue)))
            yield RunningService(f"127.0.0.1:{server.port}", folder)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def real_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """Its jobs are done by the method itself."""
    with running(tmp_path_factory.mktemp("real") / "data", WORKER_COMMAND) as service:
        yield service


@pytest.fixture(scope="module")
def quick_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """Everything in it is real but the method, whose stand-in makes noise."""
    with running(tmp_path_factory.mktemp("quick") / "data", QUICK_WORKER) as service:
        yield service
