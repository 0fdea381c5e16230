"""RQ's queues: how a job is handed to a GPU worker, and what lighter processes do for the API.

Tasks are named by strings: the API never imports them. The courier's two queues and the viewer's
have processes of their own each: a receiver that hangs delays no words.
"""

from redis.client import Pipeline
from rq import Queue, Retry

from app.observability.tracing import current_origin
from app.settings import Settings

WORDS_QUEUE = "light-words"
FIND_WORDS = "workers.courier.prompt_words.find_words"

WEBHOOK_QUEUE = "light-webhooks"
DELIVER = "workers.courier.webhook_delivery.deliver"

VIEWS_QUEUE = "light-views"
SHOW_VIEWS = "workers.viewer.show_views.show_views"

COURIER_QUEUE_NAMES = (WORDS_QUEUE, WEBHOOK_QUEUE)
LIGHT_QUEUE_NAMES = (*COURIER_QUEUE_NAMES, VIEWS_QUEUE)


def enqueue_job(
    queue: Queue,
    task: str,
    job_id: str,
    settings: Settings,
    pipeline: Pipeline,
    *,
    at_front: bool = False,
) -> None:
    """Queues the job, as part of a transaction; RQ begins it, if it has not begun.

    Args:
        queue: the one of the job's priority.
        task: the function that a worker calls with the job's id, by its name.
        job_id: RQ knows the job by the same id.
        settings: time-out and retries.
        pipeline: the transaction; where it has not begun, without any command yet.
        at_front: before all others in the queue.
    """
    retries = settings.max_retries
    queue.enqueue_call(
        task,
        args=(job_id,),
        job_id=job_id,
        timeout=settings.job_timeout_s,
        result_ttl=60,
        failure_ttl=3600,
        retry=Retry(max=retries, enqueue_at_front=True) if retries else None,
        meta=current_origin(),
        at_front=at_front,
        pipeline=pipeline,
    )
