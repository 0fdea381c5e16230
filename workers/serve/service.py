"""The whole service on one machine: Redis, worker, courier and API, started and stopped as one."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Self, cast

import redis
from rq import Queue
from rq.scheduler import RQScheduler

from app.base.redis_connection import connect
from app.jobs.queues import COURIER_QUEUE_NAMES
from app.jobs.store import QUEUE_NAMES
from app.observability.live_workers import LiveWorkers
from app.observability.tracing import start_tracing
from app.settings import Settings
from workers.runtime.child_process import die_with_parent
from workers.serve.api_server import WATCH_EVERY_S, ApiServer
from workers.serve.data_folder import REDIS_FOLDER, lock_folder
from workers.serve.embedded_redis import EmbeddedRedis
from workers.serve.listening import Tls, listen

WORKER_COMMAND = (sys.executable, "-m", "workers.cli", "worker")
COURIER_COMMAND = (sys.executable, "-m", "workers.cli", "courier")
STOP_WITHIN_S = 10.0


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
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = lock_folder(self.data_dir)
        try:
            self.redis = EmbeddedRedis(self.data_dir / REDIS_FOLDER)
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
        with connect(self.redis.url) as connection:
            return LiveWorkers(connection).count() > 0

    def fault(self) -> str | None:
        """Which child has died; None as long as all live."""
        if self.redis.process.poll() is not None:
            return f"Redis ended with exit code {self.redis.process.returncode}"
        if self.worker.poll() is not None:
            return f"The worker ended with exit code {self.worker.returncode}"
        if self.courier.poll() is not None:
            return f"The courier ended with exit code {self.courier.returncode}"
        return None

    def _start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        settings = self.settings.model_dump(mode="json")
        variables = {f"GOODMANY_{name.upper()}": str(value) for name, value in settings.items()}
        return subprocess.Popen(
            command,
            env={**os.environ, **variables},
            start_new_session=True,
            # A signal that it could heed would have it finish its job first.
            preexec_fn=partial(die_with_parent, signal.SIGKILL),  # noqa: PLW1509, no thread runs yet
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


def serve(
    settings: Settings,
    host: str,
    port: int,
    worker_command: Sequence[str] = WORKER_COMMAND,
    *,
    tls: Tls | None = None,
) -> int:
    """`goodmany serve`: everything in one command; returns the exit code.

    Raises:
        ListenError: the API cannot listen there.
    """
    log = logging.getLogger("goodmany.serve")
    # What cannot be is told before anything is started.
    if tls is not None:
        tls.check()
    listener = listen(host, port)
    with EmbeddedService(settings, worker_command) as service:
        # Its thread must not run yet when the worker is started.
        start_tracing("goodmany-api")
        server = ApiServer(service.settings, host, port, service.fault, tls=tls, listener=listener)
        log.info("listening at %s, data in %s", server.address, service.data_dir)
        threading.Thread(target=_tell_when_ready, args=(service, server, log), daemon=True).start()
        failure = server.serve_until_stopped()
        if failure is not None:
            log.error("%s; stopping", failure)
    return 0 if failure is None else 1


def _tell_when_ready(service: EmbeddedService, server: ApiServer, log: logging.Logger) -> None:
    while not server.should_exit:
        if service.is_ready():
            log.info("models are loaded; jobs are worked on")
            return
        time.sleep(WATCH_EVERY_S)
