"""An RQ worker for what is short: questions that the API waits for, deliveries of webhooks."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq.exceptions import AbandonedJobError
from rq.job import Job as QueuedJob
from rq.serializers import JSONSerializer
from rq.timeouts import BaseTimeoutException
from rq.worker import SimpleWorker

from app.base.redis_connection import REDIS_AWAY
from workers.runtime.known_job import KnownJob
from workers.runtime.known_queue import KnownQueue, clean_queues
from workers.runtime.rq_clock import follow_redis_clock

log = logging.getLogger("goodmany.worker")

# RQ's own lines tell of every question and every try; ours tell what came of it.
RQ_LOG_LEVEL = "WARNING"
MAINTAIN_EVERY_S = 15


class LightWorker(SimpleWorker):
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
