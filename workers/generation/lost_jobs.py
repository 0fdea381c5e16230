"""Finds accepted jobs that are on nobody's list, and queues them again.

RQ has a list for every stage of a job and moves it from one to the next. It drops the entry of a
job whose worker was killed when another attempt has meanwhile ended in RQ's books, or when its own
record has expired. Our record is what the client was promised, so the two are compared: a job that
is not over waits, changes hands or is worked on somewhere, or else it is lost.
"""

from functools import partial
from typing import cast

import app.jobs.store
from app.base.transactions import execute_once
from app.jobs.metrics import STATES_KEY
from app.jobs.model import JOB_ID, JobState
from app.jobs.queues.enqueue import enqueue_job
from app.jobs.record import read_number, read_priority
from app.jobs.store import JobStore
from app.problems import JobNotFound, WorkerLost

LOCK_KEY = "goodmany:lost-jobs-lock"
LOOK_EVERY_S = 30
# The states of a job that is not over come first in `JobState`, by whose order jobs are sorted.
LAST_OPEN = list(JobState).index(JobState.running)


def requeue_lost_jobs(store: JobStore) -> int:
    """Puts lost jobs at the front of their queues; returns how many there were.

    A job that is lost more often than a job may be retried fails. Of several workers one looks.
    """
    if not store.connection.set(LOCK_KEY, 1, nx=True, ex=LOOK_EVERY_S):
        return 0
    lost = _lost_jobs(store)
    for job_id in lost:
        try:
            record = store.get_record(job_id)
        except JobNotFound:
            store.forget(job_id)
            continue
        losses = int(read_number(record.get("losses"))) + 1
        if losses > store.settings.max_retries:
            store.fail(job_id, WorkerLost("Each process that worked on this job died."))
        elif store.requeue(job_id, {"losses": str(losses)}):
            priority = read_priority(record)
            queue = next(queue for queue in store.queues if queue.name == priority)
            enqueue = partial(
                enqueue_job, queue, app.jobs.store.TASK, job_id, store.settings, at_front=True
            )
            execute_once(store.connection, enqueue)
    return len(lost)


def _lost_jobs(store: JobStore) -> list[str]:
    """Ids of jobs that are not over and on no list, at one moment."""
    with store.connection.pipeline() as pipeline:
        pipeline.zrange(STATES_KEY, 0, LAST_OPEN, byscore=True)
        for queue in store.queues:
            pipeline.lrange(queue.key, 0, -1)
            pipeline.lrange(queue.intermediate_queue_key, 0, -1)
            pipeline.zrange(queue.started_job_registry.key, 0, -1)
        open_ids, *lists = cast(list[list[bytes]], pipeline.execute())
    # Entries of running jobs are "job:execution".
    known = {entry.split(b":")[0] for entries in lists for entry in entries}
    lost = (job_id.decode(errors="replace") for job_id in set(open_ids) - known)
    return sorted(job_id for job_id in lost if JOB_ID.fullmatch(job_id))
