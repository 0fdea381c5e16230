"""A service for clients: one API, one worker whose jobs take a moment, a Redis of their own."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from app.base.redis_connection import connect
from app.jobs.store import JobStore
from app.observability.live_workers import LiveWorkers
from app.settings import Settings
from tests.conftest import WorkerProcess, served, wait_until
from tests.s3_server import Wire
from tests.workers.generation.held_pipeline import GO_KEY, HELD_KEY
from workers.serve.api_server import ApiServer
from workers.serve.embedded_redis import EmbeddedRedis

LOADER = "tests.app.client.held_by_name:load"


@dataclass
class Service:
    """One that is ready.

    Attributes:
        address: of its API.
        settings: of all its parts.
        connection: to its Redis.
        store: its jobs.
    """

    address: str
    settings: Settings
    connection: redis.Redis
    store: JobStore

    @property
    def port(self) -> int:
        """Where its API listens."""
        return int(self.address.rstrip("/").rpartition(":")[2])

    @contextmanager
    def other(self, **changes: object) -> Iterator[str]:
        """The address of another API of the same service."""
        with served(self.settings.model_copy(update=changes)) as client:
            yield str(client.base_url)

    def wait_held(self) -> None:
        """Until a job is held; then there is nothing more that it does."""
        wait_until(lambda: self.connection.lpop(HELD_KEY) is not None)

    def release(self) -> None:
        """Lets the held job end."""
        self.connection.rpush(GO_KEY, 1)


@contextmanager
def running(folder: Path) -> Iterator[Service]:
    """The service, until the block ends."""
    with ExitStack() as started:
        server = EmbeddedRedis(folder / "redis")
        started.callback(server.stop)
        settings = Settings(
            redis_url=server.url, data_dir=folder / "data", max_images=8, cancel_grace_s=0.5
        )
        worker = WorkerProcess(settings, LOADER)
        started.callback(worker.stop)
        connection = started.enter_context(connect(settings.redis_url))
        client = started.enter_context(served(settings))
        wait_until(lambda: LiveWorkers(connection).count() > 0, 120)
        address = str(client.base_url)
        yield Service(address, settings, connection, JobStore(connection, settings))


class Restarted:
    """An API that can be stopped, and started again at the same port.

    Attributes:
        address: that of all of them.
    """

    def __init__(self, settings: Settings):
        self.settings, self.port = settings, 0
        self.start()
        self.address = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.server = ApiServer(self.settings, "127.0.0.1", self.port)
        self.port = self.server.port
        sockets = [self.server.socket]
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": sockets})
        self.thread.start()
        wait_until(lambda: self.server.started)

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join()


class BreaksOnce(Wire):
    """Breaks the connection once, when so many bytes have come down."""

    def __init__(self, server_port: int, after_bytes: int):
        self.left_bytes = after_bytes
        self.has_broken = False
        super().__init__(server_port)

    def _carry(self, source: socket.socket, target: socket.socket, down: bool) -> None:
        with contextlib.suppress(OSError):
            while content := source.recv(4096):
                self.left_bytes -= len(content) if down else 0
                if self.left_bytes < 0 and not self.has_broken:
                    self.has_broken = True
                    break
                target.sendall(content)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open.discard(source)
        source.close()
