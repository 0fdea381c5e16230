"""An RQ worker whose work horse is one long-lived child that keeps the models warm.

RQ's own workers make a process for each job and would load the models each time; its
`SimpleWorker` keeps them, and then nobody is left who could stop a job or send heartbeats. Here
the parent is RQ's `Worker` as it is (heartbeats, registries, the stop command, signals), and only
the work horse is another: a spawned child (`warm_child.py`) that loads the models once and takes
jobs over a pipe. What is overridden of RQ is how a horse is started, awaited and killed.

A job whose child died is queued again up to `max_retries` times. A job that raised, took too long
or was stopped is not: it would do the same again. A job whose child cannot load its models goes
back to the queue unharmed, and the worker ends.
"""

import contextlib
import logging
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from redis.backoff import NoBackoff
from redis.retry import Retry
from rq.executions import Execution
from rq.job import Job as QueuedJob
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker import Worker
from rq.worker.base import WorkerStatus

from app.base.redis_clock import redis_time
from app.base.redis_connection import REDIS_AWAY, connect
from app.files.storage import Storage
from app.jobs.store import QUEUE_NAMES, JobStore
from app.observability.live_workers import BEAT_EVERY_S, LiveWorkers
from app.observability.logs import log_fields
from app.problems import JobTimedOut, StorageUnavailable, WorkerLost
from app.retention.instance import ForeignStorageError
from app.retention.sweep import sweep_expired, sweep_orphans
from app.settings import Settings
from workers.generation.child_worker import JOB_HEARTBEAT_TTL_S
from workers.generation.clean_outputs import remove_lost_outputs
from workers.generation.generation_job import GenerationJob, fields_of
from workers.generation.job_deadline import JobDeadline
from workers.generation.lost_jobs import requeue_lost_jobs
from workers.generation.priority_queue import PriorityQueue
from workers.generation.warm_child import DEFAULT_LOADER, ChildEvent, ModelLoadError, WarmChild
from workers.runtime.known_queue import clean_queues
from workers.runtime.rq_clock import follow_redis_clock
from workers.runtime.task_names import GENERATION_TASKS

log = logging.getLogger("goodmany.worker")

WATCH_EVERY_S = 0.25


class WarmWorker(Worker):
    """Takes jobs from the queue, one at a time, and has its child perform them.

    Args:
        settings: of the whole service.
        loader: `module:function` that the child calls once to load the models.
        queue_names: the queues to take from, the most urgent first.
        tasks: what may be called for a job, by the names that it may have in a queue.

    Attributes:
        load_failure: why the child could not load its models; None as long as it could.
        is_told_to_stop: a signal has ended the work, or will; otherwise it was a fault.
    """

    queue_class = PriorityQueue
    # An idle worker looks for an absent Redis at least this often.
    max_connection_wait_time = 5.0

    def __init__(
        self,
        settings: Settings,
        *,
        loader: str = DEFAULT_LOADER,
        queue_names: Sequence[str] = QUEUE_NAMES,
        tasks: Mapping[str, str] = GENERATION_TASKS,
    ):
        self.settings, self.loader, self.tasks = settings, loader, tasks
        # RQ gives up at the first command that fails, wherever it is.
        connection = connect(settings.redis_url, patience_s=math.inf)
        self.store = JobStore(connection, settings)
        self.storage = Storage(settings.storage_address)
        self.live_workers = LiveWorkers(connection)
        self.child: WarmChild | None = None
        self.load_failure: str | None = None
        self.is_told_to_stop = False
        self.sweep_fault = ""
        super().__init__(
            list(queue_names),
            connection=connection,
            job_class=GenerationJob.of_tasks(tasks),
            serializer=JSONSerializer,
            exception_handlers=[self._note_abandoned],
            # RQ waits 15 s less than this for a job before it sends a heartbeat.
            worker_ttl=15 + BEAT_EVERY_S,
            maintenance_interval=JOB_HEARTBEAT_TTL_S,
            log_job_description=False,
        )

    def bootstrap(self, *args: Any, **kwargs: Any) -> None:
        """Loads the models first: a worker without models must not take a job.

        Raises:
            ModelLoadError: they cannot be loaded; `/readyz` tells why.
        """
        self._start_child()
        follow_redis_clock(self.connection)
        super().bootstrap(*args, **kwargs)

    def heartbeat(self, *args: Any, **kwargs: Any) -> None:
        """Tells RQ that the worker lives, and the API that it can take jobs.

        Raises:
            ModelLoadError: the idle child could not load the rest of its models.
        """
        super().heartbeat(*args, **kwargs)
        if self.child is None:
            return
        if self.horse_pid == 0:
            self._check_loaded(self.child)
            if not self.child.is_alive():
                log.warning("the idle child died and is replaced")
                self._start_child()
        if self.child.is_alive():
            self.live_workers.beat(self.name)

    def get_heartbeat_ttl(self, job: QueuedJob, working_time: float = 0.0) -> int:  # noqa: ARG002
        """Seconds without a heartbeat after which the job counts as abandoned."""
        return JOB_HEARTBEAT_TTL_S

    def run_maintenance_tasks(self) -> None:
        """As RQ does; finds jobs that RQ has lost, and removes what has expired."""
        follow_redis_clock(self.connection)
        clean_queues(self.queues)
        super().run_maintenance_tasks()
        if num_lost := requeue_lost_jobs(self.store):
            log.warning("%d jobs were on nobody's list and are queued again", num_lost)
        try:
            if num_swept := sweep_expired(self.store, self.storage):
                log.info("removed files or records of %d expired jobs", num_swept)
            if num_orphans := sweep_orphans(self.store, self.storage, redis_time(self.connection)):
                log.info("removed the uploads of %d jobs that were never created", num_orphans)
        except (StorageUnavailable, ForeignStorageError) as error:
            # Every sweep says it again; it is told when it is news.
            level = logging.DEBUG if str(error) == self.sweep_fault else logging.WARNING
            log.log(level, "what has expired stays until the next sweep: %s", error)
            self.sweep_fault = str(error)
        else:
            self.sweep_fault = ""

    def execute_job(self, job: QueuedJob, queue: Queue) -> None:
        """Has the child perform one job."""
        execution = self.prepare_execution(job)
        with log_fields(**fields_of(job)):
            try:
                self.fork_work_horse(job, queue)
                self.monitor_work_horse(job, queue, execution)
            except SystemExit:
                self._give_back(job, queue, execution, "The worker was shut down.")
                raise
            self._remove_lost_outputs(job.id)
        self.set_state(WorkerStatus.IDLE)

    def fork_work_horse(self, job: QueuedJob, queue: Queue) -> None:
        """Hands the job to the child that is there already.

        Raises:
            ModelLoadError: there is none, nor can there be; the job is back in the queue.
        """
        assert self.execution is not None
        try:
            if self.child is not None:
                self._check_loaded(self.child)
            if self.child is None or not self.child.is_alive():
                self._start_child()
        except ModelLoadError as error:
            self._give_back(job, queue, self.execution, str(error))
            raise
        assert self.child is not None
        self._horse_pid = self.child.pid
        self.child.send_job(job.id, queue.name, self.execution.id)

    def monitor_work_horse(self, job: QueuedJob, queue: Queue, execution: Execution) -> None:
        """Watches the child until the job is over, and ends the child when it must be ended.

        Raises:
            ModelLoadError: the child could not load the rest of its models, or its successor any.
        """
        assert self.child is not None
        job.started_at = now()
        deadline = JobDeadline(self.settings, job)
        next_beat = time.monotonic()
        while (event := self.child.wait_event(WATCH_EVERY_S)) is ChildEvent.nothing:
            if not self.child.is_loaded:
                deadline.begin()
            try:
                if time.monotonic() >= next_beat:
                    self.maintain_heartbeats(job, execution)
                    next_beat = time.monotonic() + BEAT_EVERY_S
                state = self.store.state(job.id)
            except REDIS_AWAY as error:
                log.warning("Redis is away while job %s runs: %s", job.id, error)
                continue
            if deadline.must_end(state):
                self.kill_horse()
        self._horse_pid = 0
        self.executions.pop(execution.id, None)
        if event is ChildEvent.unloaded:
            self._give_back(job, queue, execution, "The child could not load its models.")
            self._check_loaded(self.child)
        if event is ChildEvent.dead:
            self._handle_dead_child(job, queue, execution, deadline)
            self._start_child()

    def kill_horse(self, sig: int = 0) -> None:  # noqa: ARG002, it is always SIGKILL
        """Kills the child, and only it: `wait_event` then sees that it is dead."""
        if self.child is not None:
            self.child.kill()

    def wait_for_horse(self) -> tuple[int | None, int | None, None]:
        """Waits until a killed child is gone."""
        if self.child is not None:
            self.child.join()
        return None, None, None

    def handle_job_failure(
        self,
        job: QueuedJob,
        queue: Queue,
        started_job_registry: Any = None,
        exc_string: str = "",
        execution: Execution | None = None,
    ) -> None:
        """As RQ does; a job that got lost between queue and start has used up no retry."""
        if execution is None:
            job.retries_left = (job.retries_left or 0) + 1
            job.enqueue_at_front_on_retry = True
        super().handle_job_failure(job, queue, started_job_registry, exc_string, execution)
        # The child may have died before it took the job over from here.
        self.connection.lrem(queue.intermediate_queue_key, 1, job.id)

    def handle_warm_shutdown_request(self) -> None:
        """RQ calls this at the first signal, and returns from `work` after a fault as well."""
        self.is_told_to_stop = True
        super().handle_warm_shutdown_request()

    def set_shutdown_requested_date(self) -> None:
        """Nothing: nobody reads it, and a signal must not wait for Redis."""

    def teardown(self) -> None:
        """Takes the child along."""
        if self.child is not None:
            self.child.stop()
        # What cannot be told now is not waited for.
        self.connection.set_retry(Retry(NoBackoff(), 0))
        with contextlib.suppress(*REDIS_AWAY):
            self.live_workers.leave(self.name)
            super().teardown()

    def _start_child(self) -> None:
        """Starts a child and waits until it can be sent jobs.

        Raises:
            ModelLoadError: they cannot be.
        """
        self.live_workers.leave(self.name)
        self.child = WarmChild(self.settings, self.name, self.loader, self.tasks)
        try:
            while not self.child.wait_ready(BEAT_EVERY_S):
                if self.birth_date is not None:
                    super().heartbeat()
        except ModelLoadError as error:
            self._note_load_failure(self.child, str(error))
            raise
        self.live_workers.beat(self.name)
        log.info("ready in %.1f s, child %d", self.child.load_s, self.child.pid)

    def _check_loaded(self, child: WarmChild) -> None:
        """Nothing, unless the idle child could not load the rest of its models.

        Raises:
            ModelLoadError: it could not; the message says why.
        """
        child.look()
        if child.failure is not None:
            self.live_workers.leave(self.name)
            self._note_load_failure(child, child.failure)
            raise ModelLoadError(child.failure)

    def _note_load_failure(self, child: WarmChild, sentence: str) -> None:
        """Tells everybody, and lets the child go."""
        self.load_failure = sentence
        self.live_workers.note_start_failure(sentence)
        child.stop()

    def _handle_dead_child(
        self, job: QueuedJob, queue: Queue, execution: Execution, deadline: JobDeadline
    ) -> None:
        """Queues the job again or fails it, in RQ's records and in ours."""
        job.ended_at = now()
        state = self.store.state(job.id)
        if state is None or state.is_over:
            self._stopped_job_id = job.id
        elif self._stopped_job_id == job.id:
            self.store.cancel(job.id, owner=None)
        elif deadline.timed_out:
            job.retries_left = 0
            self.store.fail(job.id, JobTimedOut(f"It was ended after {job.timeout} s."))
        else:
            assert self.child is not None
            self._note_lost(job, self.child.death)
        self.handle_job_failure(job, queue, exc_string="The warm child died.", execution=execution)

    def _note_lost(self, job: QueuedJob, death: str) -> None:
        if job.should_retry:
            log.warning("job %s lost its process (%s) and is queued again", job.id, death)
            self.store.requeue(job.id)
        else:
            log.error("job %s lost its process (%s) and fails", job.id, death)
            self.store.fail(
                job.id, WorkerLost(f"Each process that worked on this job died: {death}.")
            )

    def _note_abandoned(self, job: QueuedJob, *_: object) -> bool:
        """RQ calls this for a job whose whole worker vanished."""
        with log_fields(**fields_of(job)):
            self._note_lost(job, "it vanished with its worker")
            self._remove_lost_outputs(job.id)
        return False

    def _remove_lost_outputs(self, job_id: str) -> None:
        try:
            remove_lost_outputs(self.store, self.storage, job_id)
        # The files go when the job expires.
        except StorageUnavailable as error:
            log.warning("what job %s has left behind stays for now: %s", job_id, error)

    def _give_back(self, job: QueuedJob, queue: Queue, execution: Execution, why: str) -> None:
        """A worker that cannot go on leaves its job to the next one; that costs no retry."""
        job.retries_left = (job.retries_left or 0) + 1
        job.enqueue_at_front_on_retry = True
        job.ended_at = now()
        self.store.requeue(job.id)
        self.handle_job_failure(job, queue, exc_string=why, execution=execution)
