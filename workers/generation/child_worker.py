"""RQ's bookkeeping around one job, as it is done in the child that performs the job."""

import logging
import math
import secrets
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from rq.exceptions import NoSuchJobError
from rq.executions import Execution
from rq.job import Job as QueuedJob
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException
from rq.worker import Worker

from app.base.redis_connection import connect
from app.jobs.store import QUEUE_NAMES, JobStore
from app.observability.logs import log_fields
from app.observability.tracing import trace_of
from app.problems import GenerationFailed, JobTimedOut, OutOfMemory, Problem
from app.settings import Settings
from workers.generation.generation_job import GenerationJob, fields_of
from workers.runtime.rq_clock import follow_redis_clock
from workers.runtime.spans import job_span, note_failure

log = logging.getLogger("goodmany.worker")

JOB_HEARTBEAT_TTL_S = 30


class ChildWorker(Worker):
    """The parent's worker by name, made once in the child; performs jobs and notes failures.

    Args:
        settings: of the whole service.
        name: the parent's name, under which RQ counts.
        tasks: what may be called, by the names that it may have in a queue.
    """

    def __init__(self, settings: Settings, name: str, tasks: Mapping[str, str]):
        # What became of a job is told when Redis is back, however long that takes.
        connection = connect(settings.redis_url, patience_s=math.inf)
        self.store = JobStore(connection, settings)
        super().__init__(
            list(QUEUE_NAMES),
            name=name,
            connection=connection,
            job_class=GenerationJob.of_tasks(tasks),
            serializer=JSONSerializer,
            exception_handlers=[self._note_failure],
            log_job_description=False,
            prepare_for_work=False,
        )
        self._is_horse = True
        follow_redis_clock(connection)

    def perform(self, job_id: str, queue_name: str, execution_id: str) -> None:
        """Runs the job's function within its timeout and writes down how it ended."""
        queue = next(queue for queue in self.queues if queue.name == queue_name)
        try:
            job = self.job_class.fetch(job_id, self.connection, JSONSerializer)
        except NoSuchJobError as error:
            # It was there when the parent looked. If it is still wanted, it is found to be lost.
            log.warning("job %s cannot be performed: %s", job_id, error)
            return
        execution = Execution.fetch(execution_id, job_id, self.connection)
        execution._job = job
        with log_fields(**fields_of(job)), job_span(job_id, trace_of(job.meta)):
            self.perform_job(job, queue, execution)

    def prepare_job_execution(self, job: QueuedJob, *_: Any) -> None:
        """As RQ does for a worker with one queue: from now on the job counts as started."""
        super().prepare_job_execution(job, remove_from_intermediate_queue=True)

    def get_heartbeat_ttl(self, job: QueuedJob, working_time: float = 0.0) -> int:  # noqa: ARG002
        """Seconds without a heartbeat after which the job counts as abandoned."""
        return JOB_HEARTBEAT_TTL_S

    def handle_job_failure(self, job: QueuedJob, *args: Any, **kwargs: Any) -> None:
        """As RQ does, but a job that raised is not tried again: it would raise again."""
        job.retries_left = 0
        super().handle_job_failure(job, *args, **kwargs)

    def _note_failure(
        self,
        job: QueuedJob,
        _: type[BaseException],
        error: BaseException,
        __: TracebackType,
    ) -> bool:
        number = secrets.token_hex(4)
        log.error("job %s failed, failure %s", job.id, number, exc_info=error)
        note_failure(error)
        self.store.fail(job.id, _as_problem(error, job, number))
        return False


def _as_problem(error: BaseException, job: QueuedJob, number: str) -> Problem:
    """What a client may know of the failure: ours as it is, of others the kind alone.

    Args:
        error: what was raised.
        job: the queue's entry.
        number: under which the log has the error.
    """
    if isinstance(error, Problem):
        return error
    if isinstance(error, JobTimeoutException):
        return JobTimedOut(f"It was ended after {job.timeout} s.")
    if isinstance(error, MemoryError):
        return OutOfMemory("The worker's memory does not suffice for this job.")
    return GenerationFailed(f"The method raised {type(error).__name__} (failure {number}).")
