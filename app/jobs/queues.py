"""How a job is handed to RQ, in whichever of the queues and for whatever reason."""

from redis.client import Pipeline
from rq import Queue, Retry

from app.settings import Settings
from app.tracing import current_origin


def enqueue_job(
    queue: Queue,
    task: str,
    job_id: str,
    settings: Settings,
    *,
    at_front: bool = False,
    pipeline: Pipeline | None = None,
) -> None:
    """Queues the job; as part of the transaction that `pipeline` is, which RQ opens.

    Args:
        queue: the one of the job's priority.
        task: the function that a worker calls with the job's id, by its name.
        job_id: RQ knows the job by the same id.
        settings: time-out and retries.
        at_front: before all others in the queue.
        pipeline: has not begun its transaction yet.
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
