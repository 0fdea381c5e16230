"""Removes what nobody can fetch or claim any more.

A job's files go first, much later its record. Uploads of a job that was never created go too: the
API stores a job's images before it creates the job, so that a job never lacks one, and an API that
is killed between the two leaves a folder without a record. A job's id says when it was made, so the
folder's name alone decides whether it may still get its record.

Nothing goes from a storage that is not this Redis's (`instance.py`).
"""

from typing import cast

from app.base.redis_clock import redis_time
from app.files.storage import Storage
from app.jobs.model import JOB_ID, time_of_job_id
from app.jobs.store import EXPIRY_KEY, JobStore
from app.retention.instance import Instance

MAX_JOBS_A_SWEEP = 100
ORPHANS_LOCK_KEY = "goodmany:orphans-lock"
# Listing a storage with many jobs is dear, and nobody waits for this.
LOOK_FOR_ORPHANS_EVERY_S = 3600


def remove_files(store: JobStore, storage: Storage, job_id: str) -> None:
    """Removes the files of a job that is over; its record says "expired" from now on.

    Files go first: a record never calls files gone that are still there. A sweep that dies between
    the two is repeated by the next one.
    """
    storage.remove(job_id)
    store.expire(job_id)
    until = redis_time(store.connection) + store.settings.records_ttl_s
    store.connection.zadd(EXPIRY_KEY, {job_id: until})


def sweep_expired(store: JobStore, storage: Storage) -> int:
    """Does for the jobs whose time has come what is to be done; returns how many there were.

    Any number of workers may sweep at once.

    Raises:
        ForeignStorageError: the storage is another service's.
    """
    Instance(store.connection, storage).check()
    due = cast(
        list[bytes],
        store.connection.zrangebyscore(
            EXPIRY_KEY, "-inf", redis_time(store.connection), start=0, num=MAX_JOBS_A_SWEEP
        ),
    )
    for raw in due:
        job_id = raw.decode(errors="replace")
        if not JOB_ID.fullmatch(job_id):
            # Not ours, and it must not be in the way of those that are.
            store.connection.zrem(EXPIRY_KEY, raw)
            continue
        state = store.state(job_id)
        if state is None or state == "expired":
            store.forget(job_id)
        else:
            remove_files(store, storage, job_id)
    return len(due)


def sweep_orphans(store: JobStore, storage: Storage, now_s: float) -> int:
    """Removes folders without a record that are older than the setting; returns how many.

    Does nothing when this or another worker has looked within the last hour.

    Raises:
        ForeignStorageError: the storage is another service's.
    """
    instance = Instance(store.connection, storage)
    # A refusal must not cost the hour.
    instance.check()
    if not store.connection.set(ORPHANS_LOCK_KEY, 1, nx=True, ex=LOOK_FOR_ORPHANS_EVERY_S):
        return 0
    oldest_s = now_s - store.settings.orphans_ttl_s
    old = [
        job_id
        for job_id in storage.job_ids()
        if JOB_ID.fullmatch(job_id) and time_of_job_id(job_id) < oldest_s
    ]
    orphans = instance.forgotten(old)
    for job_id in orphans:
        storage.remove(job_id)
    return len(orphans)
