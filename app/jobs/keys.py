"""Where Redis keeps what there is of one job."""

from app.jobs import JOB_ID
from app.problems import JobNotFound


def record_key(job_id: str) -> str:
    """Where the record of a job is.

    Raises:
        JobNotFound: no job can have this id; as a key it might name something else.
    """
    if not JOB_ID.fullmatch(job_id):
        raise JobNotFound(f"There is no job {job_id}.")
    return f"goodmany:job:{job_id}"


def events_key(job_id: str) -> str:
    """Where the events of a job are."""
    return f"goodmany:job:{job_id}:events"
