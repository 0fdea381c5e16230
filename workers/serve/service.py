"""The whole service on one machine: Redis, worker, courier and API, started and stopped as one."""

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self, cast

import redis
import uvicorn
from rq import Queue
from rq.scheduler import RQScheduler

from app.base.redis_connection import REDIS_AWAY, connect
from app.http.protocol import HttpProtocol
from app.jobs.full_disk import note_full_disk
from app.jobs.queues import COURIER_QUEUE_NAMES
from app.jobs.store import QUEUE_NAMES
from app.main import create_app
from app.observability.live_workers import LiveWorkers
from app.observability.tracing import start_tracing
from app.settings import Settings
from workers.runtime.child_process import tied
from workers.serve.data_folder import REDIS_FOLDER, lock_folder
from workers.serve.disk_reserve import DiskReserve
from workers.serve.embedded_redis import EmbeddedRedis

log = logging.getLogger("goodmany.serve")

WORKER_COMMAND = (sys.executable, "-m", "workers.cli", "worker")
COURIER_COMMAND = (sys.executable, "-m", "workers.cli", "courier")
WATCH_EVERY_S = 0.25
STOP_WITHIN_S = 10.0
RESTART_EVERY_S = 2.0


class EmbeddedService:
    """Redis, a worker and a courier as children of this process, to be used with `with`.

    Args:
        settings: `redis_url` becomes the address of the folder's own Redis.
        worker_command: starts a worker that reads its settings from the environment.

    Raises:
        RuntimeError: another service uses the folder, or Redis does not start.
    """

    def __init__(self, settings: Settings, worker_command: Sequence[str] = WORKER_COMMAND):
        self.data_dir = settings.data_dir.absolute()
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._lock = lock_folder(self.data_dir)
        self.reserve = DiskReserve(self.data_dir, settings.disk_reserve_bytes)
        # A full disk leaves Redis no room to start in.
        self.reserve.look()
        self._looking = threading.Lock()
        self.told_full: bool | None = None
        self.next_redis_start = 0.0
        try:
            self.redis = EmbeddedRedis(self.data_dir / REDIS_FOLDER, settings.redis_server)
        except RuntimeError:
            self._lock.close()
            raise
        with connect(self.redis.url) as connection:
            _release_taken_jobs(connection)
        self.settings = settings.model_copy(
            update={"redis_url": self.redis.url, "data_dir": self.data_dir}
        )
        self.worker = self._start(worker_command)
        self.courier = self._start(COURIER_COMMAND)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops worker, courier and Redis, in this order, whatever happens."""
        try:
            self.courier.terminate()
            self._stop_worker()
            self._stop_courier()
        finally:
            self.redis.stop()
            self._lock.close()

    def is_ready(self) -> bool:
        """Whether the worker has its models loaded."""
        with connect(self.redis.url) as connection, contextlib.suppress(*REDIS_AWAY):
            return LiveWorkers(connection).count() > 0
        return False

    def fault(self) -> str | None:
        """Looks after the disk, and says which child has died; None as long as all live.

        Redis ends when its disk is full. It is started again in the room that was held for it, and
        no job is accepted until there is more.
        """
        with self._looking:
            is_full = self.reserve.look()
            if self.redis.process.poll() is None:
                self._tell(is_full=is_full)
            elif is_full or (self.reserve.num_bytes and self.redis.lacked_room()):
                self.reserve.give_up()
                self._start_redis()
            else:
                return f"Redis ended with exit code {self.redis.process.returncode}"
        if self.worker.poll() is not None:
            return f"The worker ended with exit code {self.worker.returncode}"
        if self.courier.poll() is not None:
            return f"The courier ended with exit code {self.courier.returncode}"
        return None

    def _tell(self, *, is_full: bool) -> None:
        """Has the API refuse new jobs, or take them again."""
        if is_full == self.told_full:
            return
        with connect(self.redis.url) as connection, contextlib.suppress(*REDIS_AWAY):
            note_full_disk(connection, is_full=is_full)
            if is_full:
                log.warning("the disk of %s is full; no job is accepted", self.data_dir)
            elif self.told_full:
                log.info("the disk of %s has room again; jobs are accepted", self.data_dir)
            self.told_full = is_full

    def _start_redis(self) -> None:
        """Starts Redis again, if there is any room for what it will write."""
        if time.monotonic() < self.next_redis_start or not self.reserve.has_some_room():
            return
        self.next_redis_start = time.monotonic() + RESTART_EVERY_S
        log.warning("Redis ended for want of room in %s and is started again", self.data_dir)
        try:
            self.redis.start()
        except RuntimeError as error:
            log.warning("%s", error)

    def _start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        settings = self.settings.model_dump(mode="json")
        variables = {f"GOODMANY_{name.upper()}": str(value) for name, value in settings.items()}
        return subprocess.Popen(
            # A signal that it could heed would have it finish its job first.
            tied(command, signal.SIGKILL),
            env={**os.environ, **variables},
            start_new_session=True,
        )

    def _stop_worker(self) -> None:
        """Lets a running job end for a while, then hands it back to the queue.

        Without Redis a worker can do neither, and is not waited for.
        """
        if self.redis.process.poll() is not None:
            self.worker.kill()
            self.worker.wait()
        if self.worker.poll() is not None:
            return
        for wait_s in (self.settings.shutdown_grace_s, STOP_WITHIN_S):
            self.worker.terminate()
            try:
                self.worker.wait(wait_s)
                return
            except subprocess.TimeoutExpired:
                continue
        self.worker.kill()
        self.worker.wait()

    def _stop_courier(self) -> None:
        """Waits for the tries that are being made."""
        try:
            self.courier.wait(self.settings.webhook_timeout_s + STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.courier.kill()
            self.courier.wait()


def _release_taken_jobs(connection: redis.Redis) -> None:
    """Gives back what a killed worker had taken, at once: here no other worker can have it."""
    for name in (*QUEUE_NAMES, *COURIER_QUEUE_NAMES):
        connection.delete(RQScheduler.get_locking_key(name))
        queue = Queue(name, connection=connection)
        while connection.lmove(queue.intermediate_queue_key, queue.key, "LEFT", "LEFT"):
            pass
        queue.release_maintenance_lock()
        # Expired entries are the next worker's to queue again or to fail.
        registry = queue.started_job_registry.key
        for taken in cast(list[bytes], connection.zrange(registry, 0, -1)):
            connection.zadd(registry, {taken: 0})


class ApiServer(uvicorn.Server):
    """The API in the foreground, which also ends when `fault` names one.

    Args:
        settings: of the whole service.
        host: address to listen at.
        port: 0 for any free one.
        fault: asked four times a second; a sentence ends the server.
    """

    def __init__(
        self,
        settings: Settings,
        host: str,
        port: int,
        fault: Callable[[], str | None] = lambda: None,
    ):
        super().__init__(
            uvicorn.Config(
                create_app(settings, host),
                http=HttpProtocol,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=5,
            )
        )
        self.fault = fault
        self.failure: str | None = None
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((host, port))
        self.address = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def port(self) -> int:
        """The port that it listens at."""
        return int(self.socket.getsockname()[1])

    def serve_until_stopped(self) -> str | None:
        """Serves until a signal (None) or a fault, which is returned."""
        # uvicorn raises the signal again when it is done; what is to be stopped then is ours.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        watch = threading.Thread(target=self._watch, daemon=True)
        watch.start()
        self.run(sockets=[self.socket])
        # It must not start anything while all is being stopped.
        watch.join()
        return self.failure

    def _watch(self) -> None:
        while not self.should_exit:
            self.failure = self.fault()
            if self.failure is not None:
                self.should_exit = True
            time.sleep(WATCH_EVERY_S)


def serve(
    settings: Settings, host: str, port: int, worker_command: Sequence[str] = WORKER_COMMAND
) -> int:
    """`goodmany serve`: everything in one command; returns the exit code."""
    with EmbeddedService(settings, worker_command) as service:
        # Its thread must not run yet when the worker is started.
        start_tracing("goodmany-api")
        server = ApiServer(service.settings, host, port, service.fault)
        log.info("listening at %s, data in %s", server.address, service.data_dir)
        threading.Thread(target=_tell_when_ready, args=(service, server), daemon=True).start()
        failure = server.serve_until_stopped()
        if failure is not None:
            log.error("%s; stopping", failure)
    return 0 if failure is None else 1


def _tell_when_ready(service: EmbeddedService, server: ApiServer) -> None:
    while not server.should_exit:
        if service.is_ready():
            log.info("models are loaded; jobs are worked on")
            return
        time.sleep(WATCH_EVERY_S)
