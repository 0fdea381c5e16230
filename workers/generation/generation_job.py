"""A queue's entry for one job: its task is called with the job's own id and nothing else."""

from rq.job import Job

from app.jobs.model import JOB_ID
from app.observability.tracing import log_fields_of
from workers.runtime.known_job import KnownJob


class GenerationJob(KnownJob):
    """RQ's job, known by the id of ours."""

    def check(self) -> None:
        """Nothing, if this is an entry as `enqueue_job` makes them.

        Raises:
            ValueError: it is not; the message says why.
        """
        super().check()
        if not JOB_ID.fullmatch(self.id) or self.args != [self.id] or self.kwargs:
            raise ValueError("it is called with something else than its job's id")


def fields_of(job: Job) -> dict[str, str]:
    """What stands on every line that is logged of the job: its id, and what its request brought."""
    return {**log_fields_of(job.meta), "job_id": job.id}
