"""What the courier does for each webhook: one try, its log entry, and the next try's time.

A job's end puts its id into the outbox, in the same step as the state itself; the courier makes a
queued try of it. A try that fails schedules the next one together with its log entry. So an event
is never lost, whatever dies; a courier that dies between a receiver's answer and the log entry
sends it again, with the same id.

The function is named as a string (`app.jobs.queues.enqueue.DELIVER`).
"""

import logging
import random
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import httpx2
import redis
from redis.client import Pipeline
from rq import Queue, Retry
from rq.serializers import JSONSerializer

from app.base.transactions import execute_once
from app.jobs.deliveries import Delivery, DeliveryLog, DeliveryOutcome
from app.jobs.keys import record_key
from app.jobs.model import JOB_ID
from app.jobs.queues.enqueue import DELIVER, WEBHOOK_QUEUE
from app.jobs.record import read_log_fields
from app.jobs.store import OUTBOX_KEY, JobStore
from app.observability.logs import log_fields
from app.problems import JobNotFound
from app.settings import Settings
from workers.courier.webhook_message import WebhookMessage
from workers.courier.webhook_post import Answer, post
from workers.courier.webhook_secret import webhook_secret

log = logging.getLogger("goodmany.courier")

MAX_OUTBOX_A_ROUND = 100
JITTER = 0.2
GONE = 410
# RQ's own limit of a try, a little longer than the try takes at most.
TIMEOUT_GRACE_S = 20
# For a try whose process died, not for one that failed.
RETRY_LOST = Retry(max=100, interval=2)


@dataclass(frozen=True)
class Webhooks:
    """What this process needs for its tries."""

    settings: Settings
    store: JobStore
    deliveries: DeliveryLog
    queue: Queue
    tls: ssl.SSLContext

    @classmethod
    def connected(cls, settings: Settings, connection: redis.Redis) -> "Webhooks":
        """With everything behind this connection."""
        return cls(
            settings=settings,
            store=JobStore(connection, settings),
            deliveries=DeliveryLog(connection),
            queue=Queue(WEBHOOK_QUEUE, connection=connection, serializer=JSONSerializer),
            tls=httpx2.create_ssl_context(),
        )

    def empty_outbox(self) -> None:
        """Makes a queued try of each id in the outbox; any number of couriers may do it at once."""
        connection = self.store.connection
        while connection.exists(OUTBOX_KEY):
            with connection.pipeline() as pipeline:
                try:
                    pipeline.watch(OUTBOX_KEY)
                    ids = cast(list[bytes], pipeline.lrange(OUTBOX_KEY, 0, MAX_OUTBOX_A_ROUND - 1))
                    pipeline.multi()
                    for job_id in filter(JOB_ID.fullmatch, map(_decode, ids)):
                        task = self._task(job_id, 1)
                        self.queue.enqueue_call(DELIVER, pipeline=pipeline, **task)
                    pipeline.ltrim(OUTBOX_KEY, len(ids), -1)
                    pipeline.execute()
                # Another courier was faster, or the connection broke: what is left, is left.
                except redis.exceptions.WatchError:
                    continue

    def note(
        self, message: WebhookMessage, job_id: str, attempt: int, at: datetime, answer: Answer
    ) -> Delivery | None:
        """Logs the try and schedules the next one, both or neither.

        Returns:
            What was logged; None of a job that was forgotten meanwhile, of which nothing may stay.
        """
        outcome = _outcome(answer)
        next_try_at = self._next_try_at(attempt) if outcome is DeliveryOutcome.failed else None
        delivery = Delivery(
            attempt=attempt,
            event=message.event,
            at=at,
            outcome=outcome,
            status_code=answer.status_code,
            error=answer.error,
            next_try_at=next_try_at,
        )

        def fill(pipeline: Pipeline) -> None:
            if next_try_at is not None:
                self._schedule(pipeline, job_id, attempt + 1, next_try_at)
            self.deliveries.append(job_id, delivery, pipeline)

        connection, record = self.store.connection, record_key(job_id)
        return delivery if execute_once(connection, fill, while_there=record) else None

    def _next_try_at(self, attempt: int) -> datetime | None:
        waits = self.settings.webhook_backoff
        if attempt > len(waits):
            return None
        # Receivers that failed together are not asked again together.
        wait_s = waits[attempt - 1] * random.uniform(1 - JITTER, 1 + JITTER)
        return self.store.now() + timedelta(seconds=wait_s)

    def _schedule(self, pipeline: Pipeline, job_id: str, attempt: int, at: datetime) -> None:
        task = self._task(job_id, attempt)
        job = self.queue.create_job(DELIVER, **task)
        self.queue.schedule_job(job, at, pipeline=pipeline)

    def _task(self, job_id: str, attempt: int) -> dict[str, Any]:
        return {
            "args": (job_id, attempt),
            "job_id": f"{job_id}-webhook-{attempt}",
            "timeout": self.settings.webhook_timeout_s + TIMEOUT_GRACE_S,
            "result_ttl": 60,
            "failure_ttl": 3600,
            "retry": RETRY_LOST,
        }


_warm: list[Webhooks] = []


def prepare(webhooks: Webhooks) -> None:
    """Says what this process delivers with; called once, before the first try."""
    _warm[:] = [webhooks]


def deliver(job_id: str, attempt: int) -> None:
    """Makes one try to tell a job's end; a job that is forgotten has nothing to tell."""
    (webhooks,) = _warm
    try:
        record = webhooks.store.get_record(job_id)
    except JobNotFound:
        return
    with log_fields(**{**read_log_fields(record), "job_id": job_id}):
        _deliver(webhooks, job_id, attempt, record)


def _deliver(webhooks: Webhooks, job_id: str, attempt: int, record: dict[str, str]) -> None:
    if webhooks.deliveries.has_tried(job_id, attempt):
        log.info("webhook of job %s, try %d: made before", job_id, attempt)
        return
    if "callback_url" not in record:
        log.error("webhook of job %s: its record has no callback_url", job_id)
        return
    message = WebhookMessage.of_job(job_id, record, webhooks.settings.root_path)
    secret = webhook_secret(webhooks.settings, webhooks.store.connection, record.get("owner", ""))
    at = webhooks.store.now()
    answer = post(
        message.url,
        message.body,
        message.headers(secret, at),
        timeout_s=webhooks.settings.webhook_timeout_s,
        allowed=webhooks.settings.webhook_networks,
        tls=webhooks.tls,
    )
    delivery = webhooks.note(message, job_id, attempt, at, answer)
    if delivery is None:
        return
    said = answer.error or f"status {answer.status_code}"
    log.info("webhook of job %s, try %d: %s (%s)", job_id, attempt, delivery.outcome, said)


def _decode(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _outcome(answer: Answer) -> DeliveryOutcome:
    if answer.refused:
        return DeliveryOutcome.refused
    if answer.status_code is None:
        return DeliveryOutcome.failed
    if 200 <= answer.status_code < 300:
        return DeliveryOutcome.delivered
    return DeliveryOutcome.gone if answer.status_code == GONE else DeliveryOutcome.failed
