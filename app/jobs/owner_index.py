"""Which jobs belong to whom: what a listing walks through and what a key's limit counts.

    goodmany:jobs[:{owner}]         sorted set of ids, all with score 0: ids sort by their time
    goodmany:unfinished[:{owner}]   set of the ids that are queued or running

The owner is an API key's id, or "" for jobs that came in without a key.
"""

from redis.client import Pipeline

from app.problems import TooManyJobs

RETRY_AFTER_S = "10"


def jobs_key(owner: str) -> str:
    """Where the owner's jobs are listed."""
    return f"goodmany:jobs:{owner}" if owner else "goodmany:jobs"


def unfinished_key(owner: str) -> str:
    """Where the owner's queued and running jobs are."""
    return f"goodmany:unfinished:{owner}" if owner else "goodmany:unfinished"


def check_room(pipeline: Pipeline, owner: str, limit: int) -> None:
    """Makes sure that the transaction to come adds a job only where there is room for it.

    It watches the owner's unfinished jobs, so that the transaction fails when they change before
    it is executed.

    Args:
        pipeline: not yet in its transaction.
        owner: a key's id; "" has no limit.
        limit: how many jobs of a key may be unfinished; 0 for any number.

    Raises:
        TooManyJobs: there are as many already.
    """
    if owner and limit:
        pipeline.watch(unfinished_key(owner))
        if pipeline.scard(unfinished_key(owner)) >= limit:
            raise TooManyJobs(
                f"{limit} jobs of this key are queued or running; let one end first.",
                headers={"Retry-After": RETRY_AFTER_S},
            )
