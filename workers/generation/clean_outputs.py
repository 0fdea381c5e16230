"""Removes what attempts at a job have left behind that do not count.

Every attempt writes into a folder of its own, and the record names the attempt that the job has
succeeded with. So a job that is finished twice has one archive, which never changes; what the other
attempt wrote is removed here, by whoever watched it.
"""

from contextlib import suppress

from app.files.storage import Storage, outputs_of
from app.jobs.model import JobState
from app.jobs.store import JobStore
from app.retention.instance import ForeignStorageError, Instance


def remove_lost_outputs(store: JobStore, storage: Storage, job_id: str) -> None:
    """Of a job that is over, keeps the outputs that it succeeded with and no others.

    A job that is not over keeps everything: whoever ends it will come here too.
    """
    state, attempt = store.standing(job_id)
    if state is None:
        # Not when Redis has lost all records.
        with suppress(ForeignStorageError):
            for forgotten in Instance(store.connection, storage).forgotten([job_id]):
                storage.remove(forgotten)
    elif state is JobState.expired:
        # Written after the job's files had been removed.
        storage.remove(job_id)
    elif state.is_over:
        kept = outputs_of(attempt) if state is JobState.succeeded else None
        for folder in storage.names(job_id, "outputs"):
            if folder != kept:
                storage.remove(job_id, folder)
