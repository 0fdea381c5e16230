"""How many jobs will be taken before a queued one."""

from collections.abc import Sequence

import redis


def queue_positions(
    connection: redis.Redis, queue_keys: Sequence[str], job_ids: Sequence[str]
) -> dict[str, int]:
    """The place of each job that waits in a queue, 1 being the next of all.

    Args:
        connection: to Redis.
        queue_keys: the queues' lists, the one that is emptied first in front.
        job_ids: only of queued jobs; to look for one that is in no queue is dearest.
    """
    if not job_ids:
        return {}
    with connection.pipeline(transaction=False) as pipeline:
        for key in queue_keys:
            pipeline.llen(key)
            for job_id in job_ids:
                pipeline.lpos(key, job_id)
        answers = iter(pipeline.execute())
    positions, ahead = {}, 0
    for _ in queue_keys:
        length = next(answers)
        for job_id in job_ids:
            place = next(answers)
            if place is not None:
                positions[job_id] = ahead + place + 1
        ahead += length
    return positions
