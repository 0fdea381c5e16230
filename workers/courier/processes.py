"""The courier: light work beside the GPU worker, in small processes that never import torch.

One process answers the prompt dry run and some deliver webhooks, each an RQ worker on its own
queue. The parent does nothing but replace a child that has died.
"""

import logging
import math
import multiprocessing
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq.exceptions import AbandonedJobError
from rq.job import Job as QueuedJob
from rq.scheduler import RQScheduler
from rq.serializers import JSONSerializer
from rq.timeouts import BaseTimeoutException
from rq.utils import current_timestamp
from rq.worker import SimpleWorker

from app.base.redis_connection import REDIS_AWAY, connect
from app.jobs.queues.enqueue import WEBHOOK_QUEUE, WORDS_QUEUE
from app.settings import Settings
from workers.courier.webhook_delivery import Webhooks, prepare
from workers.runtime.child_process import die_with_parent
from workers.runtime.known_job import KnownJob
from workers.runtime.known_queue import KnownQueue, clean_queues, is_id
from workers.runtime.rq_clock import follow_redis_clock
from workers.runtime.task_names import WEBHOOK_TASKS, WORDS_TASKS

log = logging.getLogger("goodmany.courier")

# RQ's own lines tell of every question and every try; ours tell what came of it.
RQ_LOG_LEVEL = "WARNING"
WORDS_TTL_S = 15 + 30
WEBHOOK_TTL_S = 15 + 2
MAINTAIN_EVERY_S = 15
LOOK_EVERY_S = 1.0
RESTART_AFTER_S = 2.0
STOP_WITHIN_S = 3.0


class CourierWorker(SimpleWorker):
    """An RQ worker that performs its jobs in its own process: they are short and bounded.

    Args:
        queue_name: the one queue that it takes from.
        tasks: what may be called for a job, by the names that it may have in the queue.
        connection: to Redis.
        worker_ttl_s: RQ waits 15 s less than this for a job before it looks around again.
    """

    queue_class = KnownQueue

    def __init__(
        self, queue_name: str, tasks: Mapping[str, str], connection: redis.Redis, worker_ttl_s: int
    ):
        super().__init__(
            [queue_name],
            connection=connection,
            job_class=KnownJob.of_tasks(tasks),
            serializer=JSONSerializer,
            exception_handlers=[self._give_up],
            worker_ttl=worker_ttl_s,
            maintenance_interval=MAINTAIN_EVERY_S,
            log_job_description=False,
        )

    def bootstrap(self, *args: Any, **kwargs: Any) -> None:
        """As RQ does, by the clock of the service."""
        follow_redis_clock(self.connection)
        super().bootstrap(*args, **kwargs)

    def run_maintenance_tasks(self) -> None:
        """As RQ does, by the clock of the service, after what it would stumble over is gone."""
        follow_redis_clock(self.connection)
        clean_queues(self.queues)
        super().run_maintenance_tasks()

    def _give_up(
        self,
        job: QueuedJob,
        _: type[BaseException],
        error: BaseException,
        __: TracebackType | None,
    ) -> bool:
        """A job that raised is not tried again, as it would raise again; a lost one is."""
        if not isinstance(error, (AbandonedJobError, BaseTimeoutException, *REDIS_AWAY)):
            job.retries_left = 0
            log.error("%s is given up", job.id, exc_info=error)
        return False

    def set_shutdown_requested_date(self) -> None:
        """Nothing: nobody reads it, and a signal must not wait for Redis."""

    def teardown(self) -> None:
        """Says good-bye, unless Redis is away: what cannot be told now is not waited for."""
        self.connection.set_retry(Retry(NoBackoff(), 0))
        with suppress(*REDIS_AWAY):
            super().teardown()

    def get_heartbeat_ttl(self, job: QueuedJob, working_time: float = 0.0) -> int:  # noqa: ARG002
        """Seconds after which a job counts as abandoned: there is no heartbeat while it runs."""
        return int(job.timeout or 0) + 1


class WebhookWorker(CourierWorker):
    """Delivers webhooks; between two of them it looks for new ones and for those that are due.

    RQ's scheduler would be another process, one that outlives a killed worker. What it does is
    done here, in the worker's own loop, under the scheduler's own lock.
    """

    def __init__(self, settings: Settings, connection: redis.Redis):
        super().__init__(WEBHOOK_QUEUE, WEBHOOK_TASKS, connection, WEBHOOK_TTL_S)
        self.webhooks = Webhooks.connected(settings, connection)
        self.due = RQScheduler(
            [WEBHOOK_QUEUE], connection, logging_level=RQ_LOG_LEVEL, serializer=JSONSerializer
        )
        self.next_look = 0.0
        prepare(self.webhooks)

    def heartbeat(self, *args: Any, **kwargs: Any) -> None:
        """RQ calls this before and after each job, and every two seconds when there is none."""
        super().heartbeat(*args, **kwargs)
        if time.monotonic() < self.next_look:
            return
        self.next_look = time.monotonic() + LOOK_EVERY_S
        self.webhooks.empty_outbox()
        if self.due.acquire_locks():
            self._refuse_foreign_tries()
            self.due.enqueue_scheduled_jobs()

    def _refuse_foreign_tries(self) -> None:
        """Of what is due, removes what is not ours: the scheduler would read it as it is."""
        key = self.queues[0].scheduled_job_registry.key
        due = cast(list[bytes], self.connection.zrangebyscore(key, 0, current_timestamp()))
        for entry in due:
            ids = [entry.decode()] if is_id(entry) else []
            if not any(self.job_class.fetch_many(ids, self.connection, JSONSerializer)):
                self.connection.zrem(key, entry)

    def teardown(self) -> None:
        """Leaves the lock to the next one."""
        with suppress(*REDIS_AWAY):
            self.due.release_locks()
        super().teardown()


def deliver_webhooks(settings: Settings) -> None:
    """One process of the courier."""
    connection = connect(settings.redis_url, patience_s=math.inf)
    WebhookWorker(settings, connection).work(logging_level=RQ_LOG_LEVEL)


def answer_words(settings: Settings) -> None:
    """Another process of the courier; WordNet is loaded here and nowhere else."""
    from workers.courier.prompt_words import load_words  # noqa: PLC0415, large

    load_words()
    connection = connect(settings.redis_url, patience_s=math.inf)
    worker = CourierWorker(WORDS_QUEUE, WORDS_TASKS, connection, WORDS_TTL_S)
    worker.work(logging_level=RQ_LOG_LEVEL)


class Courier:
    """The parent of the light processes.

    Args:
        settings: of the whole service.
    """

    def __init__(self, settings: Settings):
        self.settings = settings
        # A forked child shares what is imported; this process has no thread and no connection.
        self.context = multiprocessing.get_context("fork")
        self.stopping = False

    def run(self) -> None:
        """Keeps the children alive until a signal; then each ends what it does."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        tasks = [answer_words, *[deliver_webhooks] * self.settings.webhook_processes]
        children = [(task, self._start(task)) for task in tasks]
        while not self.stopping:
            dead = wait([child.sentinel for _, child in children], LOOK_EVERY_S)
            if self.stopping or not dead:
                continue
            log.warning("a process of the courier died and is replaced")
            time.sleep(RESTART_AFTER_S)
            children = [
                (task, child if child.is_alive() else self._start(task)) for task, child in children
            ]
        self._end([child for _, child in children])

    def _start(self, task: Callable[[Settings], None]) -> BaseProcess:
        child = self.context.Process(target=_run_child, args=(task, self.settings))
        child.start()
        return child

    def _stop(self, *_: object) -> None:
        self.stopping = True

    def _end(self, children: list[BaseProcess]) -> None:
        for child in children:
            child.terminate()
        give_up = time.monotonic() + self.settings.webhook_timeout_s + STOP_WITHIN_S
        for child in children:
            child.join(max(0.0, give_up - time.monotonic()))
            child.kill()
            child.join()


def _run_child(task: Callable[[Settings], None], settings: Settings) -> None:
    die_with_parent(signal.SIGKILL)
    # RQ handles signals only once it works.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    try:
        task(settings)
    except (RuntimeError, redis.exceptions.RedisError) as error:
        log.error("a process of the courier cannot work: %s", error)
        raise SystemExit(1) from error
