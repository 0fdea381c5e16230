"""Removes what nobody can fetch any more: first a job's files, much later its record."""

import time
from typing import cast

from app.job_store import EXPIRY_KEY, JobStore
from app.storage import Storage

MAX_JOBS_A_SWEEP = 100


def remove_files(store: JobStore, storage: Storage, job_id: str) -> None:
    """Removes the files of a job that is over; its record says "expired" from now on.

    Files go first: a record never calls files gone that are still there. A sweep that dies between
    the two is repeated by the next one.
    """
    storage.remove(job_id)
    store.expire(job_id)
    until = time.time() + store.settings.records_ttl_s
    store.connection.zadd(EXPIRY_KEY, {job_id: until})


def sweep(store: JobStore, storage: Storage) -> int:
    """Does for the jobs whose time has come what is to be done; returns how many there were.

    Any number of workers may sweep at once.
    """
    due = cast(
        list[bytes],
        store.connection.zrangebyscore(
            EXPIRY_KEY, "-inf", time.time(), start=0, num=MAX_JOBS_A_SWEEP
        ),
    )
    for raw in due:
        job_id = raw.decode()
        state = store.state(job_id)
        if state is None or state == "expired":
            store.forget(job_id)
        else:
            remove_files(store, storage, job_id)
    return len(due)
