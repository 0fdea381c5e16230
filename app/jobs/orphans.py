"""Removes files that no job will ever claim: uploads of a job that was never created.

The API stores a job's images before it creates the job, so that a job never lacks one. An API that
is killed between the two leaves a folder without a record. A job's id says when it was made, so
the folder's name alone decides whether it may still get its record.
"""

from app.job_store import JobStore
from app.jobs import JOB_ID, time_of_job_id
from app.storage import Storage

LOCK_KEY = "goodmany:orphans-lock"
# Listing a storage with many jobs is dear, and nobody waits for this.
LOOK_EVERY_S = 3600


def sweep_orphans(store: JobStore, storage: Storage, now_s: float) -> int:
    """Removes folders without a record that are older than the setting; returns how many.

    Does nothing when this or another worker has looked within the last hour.
    """
    if not store.connection.set(LOCK_KEY, 1, nx=True, ex=LOOK_EVERY_S):
        return 0
    oldest_s = now_s - store.settings.orphans_ttl_s
    orphans = [
        job_id
        for job_id in storage.job_ids()
        if JOB_ID.fullmatch(job_id)
        and time_of_job_id(job_id) < oldest_s
        and store.state(job_id) is None
    ]
    for job_id in orphans:
        storage.remove(job_id)
    return len(orphans)
