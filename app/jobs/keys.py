"""Where Redis keeps a job's record and events, and which jobs belong to whom.

    goodmany:job:{id}               hash: the record
    goodmany:job:{id}:events        stream
    goodmany:jobs[:{owner}]         sorted set of ids, all with score 0: ids sort by their time
    goodmany:unfinished[:{owner}]   set of the ids that are queued or running

The owner is an API key's id, or "" for jobs that came in without a key.
"""

from app.jobs.model import JOB_ID
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


def jobs_key(owner: str) -> str:
    """Where the owner's jobs are listed."""
    return f"goodmany:jobs:{owner}" if owner else "goodmany:jobs"


def unfinished_key(owner: str) -> str:
    """Where the owner's queued and running jobs are."""
    return f"goodmany:unfinished:{owner}" if owner else "goodmany:unfinished"
