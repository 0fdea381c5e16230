"""The courier: light work beside the GPU worker, in small processes that never import torch.

One process answers the prompt dry run and some deliver webhooks, each an RQ worker on its own
queue.
"""

import math
import time
from contextlib import suppress
from typing import Any, cast

import redis
from rq.scheduler import RQScheduler
from rq.serializers import JSONSerializer
from rq.utils import current_timestamp

from app.base.redis_connection import REDIS_AWAY, connect
from app.jobs.queues.enqueue import WEBHOOK_QUEUE, WORDS_QUEUE
from app.settings import Settings
from models.runtime.loading import nothing_collected
from workers.courier.webhook_delivery import Webhooks, prepare
from workers.runtime.known_queue import is_id
from workers.runtime.light_processes import LightProcesses
from workers.runtime.light_worker import RQ_LOG_LEVEL, LightWorker
from workers.runtime.task_names import WEBHOOK_TASKS, WORDS_TASKS

WORDS_TTL_S = 15 + 30
WEBHOOK_TTL_S = 15 + 2
LOOK_EVERY_S = 1.0


class WebhookWorker(LightWorker):
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
    with nothing_collected():
        from workers.courier.prompt_words import load_words  # noqa: PLC0415, large

        load_words()
    connection = connect(settings.redis_url, patience_s=math.inf)
    worker = LightWorker(WORDS_QUEUE, WORDS_TASKS, connection, WORDS_TTL_S)
    worker.work(logging_level=RQ_LOG_LEVEL)


def courier_processes(settings: Settings) -> LightProcesses:
    """The courier: one process for the words, some for webhooks."""
    tasks = [answer_words, *[deliver_webhooks] * settings.webhook_processes]
    return LightProcesses("courier", tasks, settings, end_within_s=settings.webhook_timeout_s)
