"""A real Redis, a real HTTP server and a real worker for the tests."""

import io
import multiprocessing
import os
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

import httpx2
import numpy as np
import pytest
from PIL import Image

from app.base.redis_connection import connect
from app.files.decoders import Decoders, limits_of
from app.http.services import MAX_DECODING
from app.images.limits import DecodingLimits, ImageLimits
from app.jobs.store import QUEUE_NAMES, JobStore
from app.observability.live_workers import LiveWorkers
from app.settings import Settings
from tests.s3_server import S3Server, Wire
from tests.work_units import (  # noqa: F401
    pytest_collection,
    pytest_collection_modifyitems,
    pytest_sessionfinish,
    pytest_xdist_make_scheduler,
)
from tests.workers.generation.run_worker import work
from workers.serve.api_server import ApiServer
from workers.serve.embedded_redis import EmbeddedRedis

# A test waits for the thing, not for time: this says only when it has failed for good, on a machine
# that does so much beside that to load the models takes minutes.
PATIENCE_S = 300.0

Wait = Callable[[Callable[[], bool], float], None]


def wait_until(condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
    """Returns when the condition holds; fails after the time-out."""
    give_up = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < give_up, f"not so after {timeout_s} s"
        time.sleep(0.05)


def missing_tool(reason: str) -> NoReturn:
    """Skips the test on a machine without the tool; in CI, which installs it, that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


_decoders: dict[tuple[ImageLimits, DecodingLimits], Decoders] = {}


@contextmanager
def served(settings: Settings, *, own_decoders: bool = False) -> Iterator[httpx2.Client]:
    """A client of the real API, served by uvicorn.

    The processes that decode images are those of the services before it, if their limits are the
    same: to start one takes longer than most tests.
    """
    decoders = None
    if not own_decoders:
        limits = limits_of(settings)
        decoders = _decoders.get(limits) or Decoders(settings, MAX_DECODING)
        _decoders[limits] = decoders
    server = ApiServer(settings, "127.0.0.1", 0, decoders=decoders)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [server.socket]})
    thread.start()
    try:
        wait_until(lambda: server.started)
        # Plain HTTP: a client that could verify certificates reads all authorities, each time.
        with httpx2.Client(base_url=server.address, timeout=90, verify=False) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


def encode(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The image as a file's bytes."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def texture(size: tuple[int, int] = (64, 64), seed: int = 0) -> Image.Image:
    """A small image with something in it."""
    noise = np.random.default_rng(seed).integers(60, 200, (size[1] // 8, size[0] // 8, 3))
    small = Image.fromarray(noise.astype(np.uint8))
    return small.resize(size, Image.Resampling.BICUBIC)


@pytest.fixture(scope="session", autouse=True)
def _close_decoders() -> Iterator[None]:
    yield
    for decoders in _decoders.values():
        decoders.close()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def settings(redis_server: EmbeddedRedis, tmp_path: Path) -> Settings:
    """Settings of an empty Redis and an empty storage."""
    with connect(redis_server.url) as connection:
        connection.flushall()
    return Settings(
        redis_url=redis_server.url,
        data_dir=tmp_path,
        max_images=4,
        max_upload_bytes=2_000_000,
        max_image_bytes=1_000_000,
        max_image_pixels=1_000_000,
        cancel_grace_s=0.5,
        job_timeout_s=60,
    )


@pytest.fixture
def store(settings: Settings) -> Iterator[JobStore]:
    connection = connect(settings.redis_url)
    yield JobStore(connection, settings)
    connection.close()


@pytest.fixture
def serve_api(settings: Settings) -> Iterator[Callable[..., httpx2.Client]]:
    """Starts the real API, served by uvicorn, with some settings changed; gives a client of it."""
    with ExitStack() as started:

        def serve(**changes: object) -> httpx2.Client:
            return started.enter_context(served(settings.model_copy(update=changes)))

        yield serve


@pytest.fixture
def api(serve_api: Callable[..., httpx2.Client]) -> httpx2.Client:
    """A client of the real API with the settings of the tests."""
    return serve_api()


class WorkerProcess:
    """A `WarmWorker` in a process of its own, as `goodmany worker` runs it.

    It is forked by a process that has imported what a worker imports and done nothing else; its
    child, which holds the models, is a program of its own. A worker that is one itself is what
    `ServiceParts` and `goodmany serve` start.
    """

    def __init__(self, settings: Settings, loader: str, queue_names: Sequence[str] = QUEUE_NAMES):
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([work.__module__])
        # That process has the variables and the outputs of the first test that needed it.
        outputs = [Connection(os.dup(number), readable=False) for number in (1, 2)]
        self.process = context.Process(
            target=work, args=(settings, loader, queue_names, dict(os.environ), outputs)
        )
        self.process.start()
        for output in outputs:
            output.close()

    def signal_until_gone(self) -> None:
        """As an impatient operator does; RQ takes two signals within a second for one."""
        wait_until(lambda: self.process.terminate() or self.process.join(0.2) or self.is_gone)

    @property
    def is_gone(self) -> bool:
        """Whether the process has ended."""
        return not self.process.is_alive()

    def stop(self) -> None:
        """A first and, when that takes too long, a second signal; then by force."""
        for wait_s in (3.0, 5.0):
            if self.process.is_alive():
                self.process.terminate()
                self.process.join(wait_s)
        self.process.kill()
        self.process.join()


@pytest.fixture
def start_worker(settings: Settings, store: JobStore) -> Iterator[Callable[..., WorkerProcess]]:
    """Starts a worker and waits until it can take jobs."""
    started: list[WorkerProcess] = []

    def start(
        loader: str = "tests.workers.generation.job_functions:load_nothing",
        queue_names: Sequence[str] = QUEUE_NAMES,
        **changes: object,
    ) -> WorkerProcess:
        worker = WorkerProcess(settings.model_copy(update=changes), loader, queue_names)
        started.append(worker)
        live_workers = LiveWorkers(store.connection)
        wait_until(lambda: live_workers.count() > 0)
        return worker

    yield start
    for worker in started:
        worker.stop()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3") / "server.log")
    wait_until(server.answers)
    yield server
    server.stop()


@pytest.fixture
def wire(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """The only way to the S3 server, for this process and those that it starts."""
    wire = Wire(s3_server.port)
    monkeypatch.setenv("AWS_ENDPOINT_URL", wire.address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    yield wire
    wire.cut()


@pytest.fixture
def bucket(s3_server: S3Server, wire: Wire) -> str:
    """The name of an empty bucket."""
    name = f"goodmany-{secrets.token_hex(4)}"
    s3_server.http.put(f"/{name}").raise_for_status()
    return name


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for 1 MiB."""
    as_root = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    if as_root and shutil.which("sudo") is None:
        missing_tool("only root may mount a file system, and there is no sudo")
    folder = tmp_path / "disk"
    folder.mkdir()
    options = f"size=1m,uid={os.geteuid()},gid={os.getegid()}"
    subprocess.run(
        [*as_root, "mount", "-t", "tmpfs", "-o", options, "goodmany", str(folder)], check=True
    )
    yield folder
    subprocess.run([*as_root, "umount", "--lazy", str(folder)], check=True)
