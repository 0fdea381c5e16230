"""The whole service on one machine: Redis, worker, courier and API, started and stopped as one."""

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from functools import partial
from types import TracebackType
from typing import Self, cast

import redis
from rq import Queue
from rq.scheduler import RQScheduler

from app.base.redis_connection import REDIS_AWAY, connect
from app.jobs.queues.enqueue import COURIER_QUEUE_NAMES, LIGHT_QUEUE_NAMES, VIEWS_QUEUE
from app.jobs.store import QUEUE_NAMES
from app.observability.live_workers import LiveWorkers
from app.observability.tracing import start_tracing
from app.settings import Settings
from workers.serve.api_server import WATCH_EVERY_S, ApiServer
from workers.serve.data_folder import lock_folder
from workers.serve.kept_process import KeptProcess
from workers.serve.kept_redis import KeptRedis
from workers.serve.listening import Tls, listen

log = logging.getLogger("goodmany.serve")

WORKER_COMMAND = (sys.executable, "-m", "workers.cli", "worker")
COURIER_COMMAND = (sys.executable, "-m", "workers.cli", "courier")
VIEWER_COMMAND = (sys.executable, "-m", "workers.cli", "viewer")
STOP_WITHIN_S = 10.0
# A viewer that starts beside the worker takes seconds from it where there are two cores.
VIEWER_WAITS_S = 10.0


class EmbeddedService:
    """Redis, a worker, a courier and a viewer as children of this process, to be used with `with`.

    What dies is started again (`kept_process.py`), Redis only when its disk was full
    (`kept_redis.py`): without it nothing goes on. Without a viewer jobs do, so that one that keeps
    dying is no fault of the service; it is started when the worker is ready, or takes long for it.

    Args:
        settings: `redis_url` becomes the address of the folder's own Redis.
        worker_command: starts a worker that reads its settings from the environment.
        viewer_command: starts a viewer that does so.
        courier_command: starts a courier that does so.

    Raises:
        RuntimeError: another service uses the folder, or Redis does not start.
    """

    def __init__(
        self,
        settings: Settings,
        worker_command: Sequence[str] = WORKER_COMMAND,
        viewer_command: Sequence[str] = VIEWER_COMMAND,
        courier_command: Sequence[str] = COURIER_COMMAND,
    ):
        self.data_dir = settings.data_dir.absolute()
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = lock_folder(self.data_dir)
        try:
            self.redis = KeptRedis(self.data_dir, settings)
        except RuntimeError:
            self._lock.close()
            raise
        with connect(self.redis.url) as connection:
            _release_taken_jobs(connection)
            LiveWorkers(connection).forget_start_failure()
        self.settings = settings.model_copy(
            update={"redis_url": self.redis.url, "data_dir": self.data_dir}
        )
        values = self.settings.model_dump(mode="json")
        variables = {f"GOODMANY_{name.upper()}": str(value) for name, value in values.items()}
        self.worker = KeptProcess("worker", worker_command, variables, self._replace_worker)
        self.courier = KeptProcess("courier", courier_command, variables, self._replace_courier)
        self.viewer: KeptProcess | None = None
        self._start_viewer = partial(
            KeptProcess, "viewer", viewer_command, variables, self._replace_viewer
        )
        self._viewer_starts = time.monotonic() + VIEWER_WAITS_S
        self._fault: str | None = None
        self._has_viewer_failed = False
        self._keeping = threading.Lock()
        self._stopping, self._stopped = threading.Event(), threading.Event()
        # Lives until all is stopped: what it has started again ends with it.
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops worker, courier, viewer and Redis, whatever happens."""
        self._stopping.set()
        try:
            with self._keeping:
                self.courier.process.terminate()
                if self.viewer is not None:
                    self.viewer.process.terminate()
                self._stop_worker()
                # The tries that are being made are waited for.
                self.courier.stop(self.settings.webhook_timeout_s + STOP_WITHIN_S)
                if self.viewer is not None:
                    self.viewer.stop(STOP_WITHIN_S)
        finally:
            self.redis.stop()
            self._lock.close()
            self._stopped.set()

    def is_ready(self) -> bool:
        """Whether the worker can take jobs."""
        with connect(self.redis.url) as connection, contextlib.suppress(*REDIS_AWAY):
            return LiveWorkers(connection).count() > 0
        return False

    def fault(self) -> str | None:
        """Which child has died for good; None as long as all live or will again."""
        return self._fault

    def _keep(self) -> None:
        """Looks after the children until there is a fault or the service stops."""
        while not self._stopping.wait(WATCH_EVERY_S) and self._fault is None:
            # A Redis that is away for a moment is asked again; one that has died is a fault.
            with self._keeping, contextlib.suppress(*REDIS_AWAY):
                if not self._stopping.is_set():
                    self._fault = (
                        self.redis.look_after()
                        or self.worker.look_after()
                        or self.courier.look_after()
                    )
                    self._look_after_viewer()
        self._stopped.wait()

    def _look_after_viewer(self) -> None:
        if self.viewer is None:
            if time.monotonic() < self._viewer_starts and not self.is_ready():
                return
            self.viewer = self._start_viewer()
        if not self._has_viewer_failed and (failure := self.viewer.look_after()):
            log.error("%s; jobs go on without it", failure)
            self._has_viewer_failed = True

    def _replace_worker(self) -> str | None:
        """Hands on what the dead worker had taken; says so if no worker can load its models."""
        with connect(self.redis.url) as connection:
            failure = LiveWorkers(connection).start_failure()
            if failure is None:
                _release_taken_jobs(connection, QUEUE_NAMES)
        return failure

    def _replace_courier(self) -> None:
        with connect(self.redis.url) as connection:
            _release_taken_jobs(connection, COURIER_QUEUE_NAMES)

    def _replace_viewer(self) -> None:
        with connect(self.redis.url) as connection:
            _release_taken_jobs(connection, [VIEWS_QUEUE])

    def _stop_worker(self) -> None:
        """Lets a running job end for a while, then hands it back to the queue.

        Without Redis a worker can do neither, and is not waited for.
        """
        waits_s = (self.settings.shutdown_grace_s, STOP_WITHIN_S)
        self.worker.stop(*waits_s if self.redis.is_alive() else ())


def _release_taken_jobs(
    connection: redis.Redis, queue_names: Iterable[str] = (*QUEUE_NAMES, *LIGHT_QUEUE_NAMES)
) -> None:
    """Gives back what a killed worker had taken, at once: here no other worker can have it."""
    for name in queue_names:
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
    viewer_command: Sequence[str] = VIEWER_COMMAND,
    courier_command: Sequence[str] = COURIER_COMMAND,
    tls: Tls | None = None,
) -> int:
    """`goodmany serve`: everything in one command; returns the exit code.

    Raises:
        ListenError: the API cannot listen there.
    """
    # What cannot be is told before anything is started.
    if tls is not None:
        tls.check()
    listener = listen(host, port)
    commands = (worker_command, viewer_command, courier_command)
    with EmbeddedService(settings, *commands) as service:
        # Its thread must not run yet when the worker is started.
        start_tracing("goodmany-api")
        server = ApiServer(service.settings, host, port, service.fault, tls=tls, listener=listener)
        log.info("listening at %s, data in %s", server.address, service.data_dir)
        threading.Thread(target=_tell_when_ready, args=(service, server), daemon=True).start()
        failure = server.serve_until_stopped()
        if failure is not None:
            log.error("%s; stopping", failure)
    return 0 if failure is None else 1


def _tell_when_ready(service: EmbeddedService, server: ApiServer) -> None:
    while not server.should_exit:
        if service.is_ready():
            log.info("the worker is ready; jobs are worked on")
            return
        time.sleep(WATCH_EVERY_S)
