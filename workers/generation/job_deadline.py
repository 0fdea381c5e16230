"""Decides when a running job's child must be killed: canceled or out of time, plus a grace."""

import time

from rq.job import Job as QueuedJob

from app.jobs.model import JobState
from app.settings import Settings

# The child ends a job at its timeout by itself; this much later the parent ends the child.
TIMEOUT_GRACE_S = 5.0


class JobDeadline:
    """The clock of one job in a child.

    Attributes:
        timed_out: the job was out of time when it was last looked at.
    """

    def __init__(self, settings: Settings, job: QueuedJob):
        self.cancel_grace_s = settings.cancel_grace_s
        self.timeout_s = float(job.timeout or 0)
        self.begin()
        self.cancel_deadline: float | None = None
        self.timed_out = False

    def begin(self) -> None:
        """The job's time begins now; until then it waited for models to be loaded."""
        self.deadline = time.monotonic() + self.timeout_s + TIMEOUT_GRACE_S

    def must_end(self, state: JobState | None) -> bool:
        """Whether it is time, given the state on the job's record."""
        now_s = time.monotonic()
        if state is None or state.is_over:
            if self.cancel_deadline is None:
                self.cancel_deadline = now_s + self.cancel_grace_s
            return now_s > self.cancel_deadline
        self.timed_out = now_s > self.deadline
        return self.timed_out
