"""The records of all jobs in Redis, and the queue that the workers take them from.

    goodmany:job:{id}          hash: the record
    goodmany:job:{id}:events   stream: one snapshot for each change, for replay
    goodmany:expiry            sorted set of ids by the time when something is to be removed
    goodmany:claim:{hash}      string: which job an idempotency key stands for
    goodmany:outbox            list of the ids whose end is to be told to their callback

and the indexes of `keys.py`. A job belongs to its owner, an API key's id; to any other, and to
whoever comes without a key (""), it is unknown. The service itself asks as None.

Every change of a state is one Lua call that looks at the state first. So a canceled job cannot
succeed, and of two workers that hold the same job only the one that took it last is heard.

Whatever is written here may be sent to Redis twice, because its answer got lost: a job is created
only where its record is not there yet, and each change knows itself again.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, cast

import redis
from redis.client import Pipeline
from rq import Queue
from rq.job import Job as QueuedJob
from rq.results import Result
from rq.serializers import JSONSerializer

from app.base.redis_clock import redis_now, seconds_of
from app.base.redis_connection import REDIS_AWAY, RefusedError, redis_fault
from app.jobs.admission.idempotency import Claim
from app.jobs.admission.request_limits import check_room
from app.jobs.change_script import CHANGE, DEQUEUE, NEWS_CHANNEL
from app.jobs.deliveries import deliveries_key
from app.jobs.failures import as_failure
from app.jobs.inputs import InputImage
from app.jobs.keys import events_key, jobs_key, record_key, unfinished_key
from app.jobs.metrics import STATES_KEY, note_creation
from app.jobs.model import JOB_ID, Job, JobList, JobRequest, JobState, Priority
from app.jobs.queues.enqueue import enqueue_job
from app.jobs.queues.positions import queue_positions
from app.jobs.queues.turns import take_place
from app.jobs.record import new_record, read_number, read_record, read_state
from app.problems import JobAlreadyOver, JobExpired, JobNotFound, Problem
from app.settings import Settings

# In the order in which a worker takes from them.
QUEUE_NAMES = tuple(Priority)
TASK = "workers.generation.tasks.run_job"
EXPIRY_KEY = "goodmany:expiry"
OUTBOX_KEY = "goodmany:outbox"
CLAIM_TTL_S = 24 * 3600
MAX_JOBS_LOOKED_AT = 500


@dataclass(frozen=True)
class JobFilter:
    """Which jobs of a list are wanted.

    Attributes:
        states: one of these; any when there is none.
        object_name: of this name, in capitals or not; any when it is None.
    """

    states: frozenset[JobState] = frozenset()
    object_name: str | None = None

    def fits(self, job: Job) -> bool:
        """Whether the job is wanted."""
        is_named = self.object_name is None or (
            self.object_name.strip().casefold() == job.object_name.casefold()
        )
        return is_named and (not self.states or job.state in self.states)


ALL_JOBS = JobFilter()


class CreationUnknownError(redis.exceptions.RedisError):
    """Redis went away before it said whether it has created the job."""


class JobStore:
    """Creates, reads and changes job records.

    Args:
        connection: to Redis, answering with bytes (RQ wants that).
        settings: time-outs, retries and how long results are kept.
    """

    def __init__(self, connection: redis.Redis, settings: Settings):
        self.connection, self.settings = connection, settings
        self.queues = [
            Queue(name, connection=connection, serializer=JSONSerializer) for name in QUEUE_NAMES
        ]
        self._change = connection.register_script(CHANGE)
        self._dequeue = connection.register_script(DEQUEUE)

    def create(
        self,
        job_id: str,
        request: JobRequest,
        num_inputs: int,
        claim: Claim | None = None,
        *,
        owner: str = "",
        inputs: Sequence[InputImage] = (),
        held_out: Sequence[InputImage] = (),
    ) -> Job:
        """Records the job and queues it, both or neither.

        With a claim that another job has made already, nothing is done and that job is returned.

        Raises:
            IdempotencyKeyReused: the claim's key stands for another body.
            TooManyJobs: the owner has as many unfinished jobs as a key may have.
            CreationUnknownError: Redis is away, and the job may be there. Any other error of Redis
                means that it is not.
        """
        now, is_asked = self.now(), False
        while True:
            with self.connection.pipeline() as pipeline:
                try:
                    pipeline.watch(record_key(job_id))
                    if pipeline.exists(record_key(job_id)):
                        # The round before has created it, and only its answer was lost.
                        return self.get(job_id, owner)
                    if claim is not None:
                        pipeline.watch(claim.redis_key)
                        made = cast(bytes | None, pipeline.get(claim.redis_key))
                        if made is not None:
                            return self.get(claim.resolve(made), owner)
                    check_room(pipeline, owner, self.settings.max_unfinished_jobs)
                    record = new_record(
                        request, num_inputs, owner, now=now, inputs=inputs, held_out=held_out
                    )
                    self._create(pipeline, job_id, request, record)
                    if claim is not None:
                        pipeline.set(claim.redis_key, claim.value(job_id), ex=CLAIM_TTL_S)
                    was_asked, is_asked = is_asked, True
                    try:
                        pipeline.execute()
                    except RefusedError:
                        is_asked = was_asked
                        raise
                    return self.get(job_id, owner)
                except redis.exceptions.WatchError:
                    # Somebody has just claimed the key or the room, or the connection broke: the
                    # next round sees what has become of it.
                    continue
                except REDIS_AWAY as error:
                    if is_asked:
                        raise CreationUnknownError(redis_fault(error) or "") from error
                    raise

    def _create(
        self, pipeline: Pipeline, job_id: str, request: JobRequest, record: dict[str, str]
    ) -> None:
        queue = next(queue for queue in self.queues if queue.name == request.priority)
        # RQ opens the transaction, so it comes first.
        enqueue_job(queue, TASK, job_id, self.settings, pipeline=pipeline)
        owner = record["owner"]
        pipeline.hset(record_key(job_id), mapping=cast(dict[Any, Any], record))
        pipeline.zadd(jobs_key(owner), {job_id: 0})
        pipeline.sadd(unfinished_key(owner), job_id)
        note_creation(pipeline, job_id)
        pipeline.xadd(events_key(job_id), {"state": "queued", "percent": "0"})
        take_place(pipeline, queue, job_id, owner)

    def now(self) -> datetime:
        """The time, by the clock that all of the service goes by."""
        return redis_now(self.connection)

    def get(self, job_id: str, owner: str | None = "") -> Job:
        """The job as it stands now.

        Raises:
            JobNotFound: no job of this owner has this id.
        """
        (job,) = self._fetch([job_id], owner)
        if job is None:
            raise JobNotFound(f"There is no job {job_id}.")
        return job

    def get_record(self, job_id: str) -> dict[str, str]:
        """The raw record, for what a client does not see.

        Raises:
            JobNotFound: no job has this id.
        """
        raw = cast(dict[bytes, bytes], self.connection.hgetall(record_key(job_id)))
        if not raw:
            raise JobNotFound(f"There is no job {job_id}.")
        return _decode(raw)

    def page(
        self, cursor: str | None, limit: int, owner: str = "", wanted: JobFilter = ALL_JOBS
    ) -> JobList:
        """The owner's jobs older than `cursor`, the newest first; every page costs the same.

        So with a filter it looks at MAX_JOBS_LOOKED_AT at most: a page may hold fewer than `limit`
        and still have a `next_cursor`.
        """
        num_looked_at = limit if wanted == ALL_JOBS else MAX_JOBS_LOOKED_AT
        upper = f"({cursor}" if cursor else "+"
        found = cast(
            list[bytes],
            self.connection.zrevrangebylex(
                jobs_key(owner), upper, "-", start=0, num=num_looked_at + 1
            ),
        )
        ids = [job_id.decode(errors="replace") for job_id in found]
        here = [job_id for job_id in ids[:num_looked_at] if JOB_ID.fullmatch(job_id)]
        jobs = [job for job in self._fetch(here, owner) if job is not None and wanted.fits(job)]
        if len(jobs) > limit:
            return JobList(items=jobs[:limit], next_cursor=jobs[limit - 1].id)
        is_last = len(ids) <= num_looked_at
        return JobList(items=jobs, next_cursor=None if is_last else ids[num_looked_at - 1])

    def cancel(self, job_id: str, owner: str | None = "") -> Job:
        """Ends the job as canceled, from this moment and for certain.

        Raises:
            JobNotFound: no job of this owner has this id.
            JobAlreadyOver: it had ended before.
        """
        self.get(job_id, owner)
        ended = self._ending(job_id, JobState.canceled)
        before, done = self._apply(job_id, (JobState.queued, JobState.running), ended)
        if before is None:
            raise JobNotFound(f"There is no job {job_id}.")
        if before is JobState.expired:
            raise JobExpired(f"Job {job_id} has expired.")
        if not done:
            raise JobAlreadyOver(f"Job {job_id} is already {before}.")
        queued_keys = [QueuedJob.key_for(job_id), Result.get_key(job_id)]
        queue_keys = [queue.key for queue in self.queues]
        self._dequeue(keys=[*queued_keys, *queue_keys], args=[job_id])
        return self.get(job_id, owner)

    def start(self, job_id: str, attempt: str) -> bool:
        """Takes the job for one attempt to run it; a former attempt is not heard any more.

        False when the job has ended meanwhile, by a cancel above all.
        """
        fields = {
            "state": JobState.running,
            "attempt": attempt,
            "stage": "prompt",
            "percent": "0",
            "num_images": "0",
            "started_at": self.now().isoformat(),
        }
        return self._apply(job_id, (JobState.queued, JobState.running), fields)[1]

    def progress(self, job_id: str, attempt: str, fields: dict[str, str]) -> bool:
        """Notes stage, percent, prompt or num_images; False when this attempt must stop."""
        return self._apply(job_id, (JobState.running,), fields, attempt)[1]

    def succeed(self, job_id: str, attempt: str, fields: dict[str, str]) -> bool:
        """Ends the job well; False when it was canceled or is another attempt's by now.

        True again when it is told again: whoever waited for Redis in vain may ask once more.
        """
        done = {"percent": "100", **fields, **self._ending(job_id, JobState.succeeded)}
        if self._apply(job_id, (JobState.running,), done, attempt)[1]:
            return True
        return self.standing(job_id) == (JobState.succeeded, attempt)

    def fail(self, job_id: str, problem: Problem) -> bool:
        """Ends the job with its problem and advice; False when it had ended before."""
        failed = {
            "problem": json.dumps(as_failure(problem)),
            **self._ending(job_id, JobState.failed),
        }
        return self._apply(job_id, (JobState.queued, JobState.running), failed)[1]

    def requeue(self, job_id: str, more: Mapping[str, str] = MappingProxyType({})) -> bool:
        """Notes that a lost job waits again, and `more`; False when it had ended before."""
        again = {"state": JobState.queued, "stage": "", "percent": "0", "attempt": "lost"}
        fields = {**again, **more}
        return self._apply(job_id, (JobState.running, JobState.queued), fields)[1]

    def expire(self, job_id: str) -> bool:
        """Notes that the job's files are gone; False when it is not over or expired before."""
        over = (JobState.succeeded, JobState.failed, JobState.canceled)
        return self._apply(job_id, over, {"state": JobState.expired})[1]

    def forget(self, job_id: str) -> None:
        """Removes every trace of the job."""
        raw = cast(bytes | None, self.connection.hget(record_key(job_id), "owner"))
        owner = raw.decode() if raw else ""
        with self.connection.pipeline() as pipeline:
            pipeline.delete(record_key(job_id), events_key(job_id), deliveries_key(job_id))
            pipeline.zrem(jobs_key(owner), job_id)
            pipeline.srem(unfinished_key(owner), job_id)
            pipeline.zrem(EXPIRY_KEY, job_id)
            pipeline.zrem(STATES_KEY, job_id)
            pipeline.publish(NEWS_CHANNEL, f"{job_id} {JobState.expired}")
            pipeline.execute()

    def state(self, job_id: str) -> JobState | None:
        """The state alone; None when there is no such job."""
        return self.standing(job_id)[0]

    def standing(self, job_id: str) -> tuple[JobState | None, str]:
        """The state, None when there is no such job, and the attempt that took the job last."""
        with self.connection.pipeline() as pipeline:
            pipeline.exists(record_key(job_id))
            pipeline.hmget(record_key(job_id), ["state", "ended_at", "attempt"])
            exists, found = pipeline.execute()
        state, ended_at, attempt = ((value or b"").decode() for value in found)
        return (read_state(state, ended_at) if exists else None), attempt

    def _apply(
        self,
        job_id: str,
        allowed: tuple[JobState, ...],
        fields: dict[str, str],
        attempt: str = "",
    ) -> tuple[JobState | None, bool]:
        """The state before, None when there is no such job, and whether the change was made."""
        expires_at = fields.get("expires_at")
        expiry_time = datetime.fromisoformat(expires_at).timestamp() if expires_at else ""
        before, done = self._change(
            keys=[record_key(job_id), events_key(job_id), EXPIRY_KEY, OUTBOX_KEY],
            args=[
                json.dumps(allowed),
                attempt,
                json.dumps(fields),
                job_id,
                expiry_time,
                secrets.token_hex(8),
            ],
        )
        return (JobState(before.decode()) if before else None), bool(done)

    def _ending(self, job_id: str, state: JobState) -> dict[str, str]:
        requested = cast(bytes | None, self.connection.hget(record_key(job_id), "expires_in_s"))
        now = self.now()
        ttl_s = self.settings.results_ttl_s
        if requested is not None:
            wished_s = int(read_number(requested.decode(errors="replace"), ttl_s))
            ttl_s = min(max(1, wished_s), self.settings.max_results_ttl_s)
        expires_at = now + timedelta(seconds=ttl_s)
        return {
            "state": state,
            "ended_as": state,
            "ended_at": now.isoformat(),
            "expires_at": expires_at.isoformat(),
        }

    def _fetch(self, job_ids: list[str], owner: str | None) -> list[Job | None]:
        """The jobs, None for ids that are not a job of this owner.

        One round trip, and a second one when some are queued.
        """
        with self.connection.pipeline(transaction=False) as pipeline:
            pipeline.time()
            for job_id in job_ids:
                pipeline.hgetall(record_key(job_id))
            time, *records = pipeline.execute()
        now = datetime.fromtimestamp(seconds_of(time), UTC)
        found = dict(zip(job_ids, map(_decode, records), strict=True))
        own = {
            i: record
            for i, record in found.items()
            if record and owner in (None, record.get("owner", ""))
        }
        queued = [i for i, record in own.items() if record.get("state") == JobState.queued]
        positions = queue_positions(self.connection, [queue.key for queue in self.queues], queued)
        return [
            read_record(i, own[i], positions.get(i), now) if i in own else None for i in job_ids
        ]


def _decode(raw: dict[bytes, bytes]) -> dict[str, str]:
    return {
        name.decode(errors="replace"): value.decode(errors="replace") for name, value in raw.items()
    }
