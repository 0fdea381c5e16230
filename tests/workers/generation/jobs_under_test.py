"""Queues jobs that run the functions of `job_functions`, and waits for what becomes of them."""

from dataclasses import dataclass

import pytest

import app.jobs.store
from app.jobs.model import Job, JobRequest, JobState, Priority, new_job_id
from app.jobs.store import JobStore
from tests.conftest import PATIENCE_S, wait_until
from tests.workers.generation.job_functions import CHILD_KEY


@dataclass
class JobsUnderTest:
    """Jobs in a store, and the processes that they ran in."""

    store: JobStore
    patch: pytest.MonkeyPatch

    def submit(
        self, function: str, priority: Priority = Priority.interactive, owner: str = ""
    ) -> str:
        self.patch.setattr(
            app.jobs.store, "TASK", f"tests.workers.generation.job_functions.{function}"
        )
        asked = JobRequest(object_name="nut", priority=priority)
        return self.store.create(new_job_id(), asked, 1, owner=owner).id

    def ended(self, job_id: str, timeout_s: float = PATIENCE_S) -> Job:
        wait_until(lambda: self.store.get(job_id, None).state.is_over, timeout_s)
        return self.store.get(job_id, None)

    def wait_running(self, job_id: str) -> None:
        wait_until(lambda: self.store.state(job_id) is JobState.running and bool(self.child_pids()))

    def child_pids(self) -> list[int]:
        """The process of each attempt so far, in order."""
        return [int(pid) for pid in self.store.connection.lrange(CHILD_KEY, 0, -1)]

    def problem_slug(self, job_id: str, timeout_s: float = PATIENCE_S) -> str:
        job = self.ended(job_id, timeout_s)
        assert job.state is JobState.failed
        assert job.problem is not None
        return job.problem.type.removeprefix("urn:goodmany:problem:")
