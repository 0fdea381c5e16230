"""From a job's hash in Redis to the job that a client sees."""

from datetime import UTC, datetime

from app.jobs import Job, JobRequest, JobState, ProblemDetails


def read_record(job_id: str, record: dict[str, str], queue_position: int | None) -> Job:
    """The job; one whose time is over counts as expired even before its files are removed."""
    request = JobRequest.model_validate_json(record["request"])
    expires_at = _time(record.get("expires_at"))
    state = JobState(record["state"])
    if expires_at is not None and expires_at <= datetime.now(UTC):
        state = JobState.expired
    problem = record.get("problem")
    return Job(
        id=job_id,
        state=state,
        stage=record.get("stage") or None,
        percent=float(record["percent"]),
        queue_position=queue_position if state is JobState.queued else None,
        priority=request.priority,
        object_name=request.object_name,
        prompt=record.get("prompt") or None,
        num_images_requested=request.num_images,
        num_images=int(record["num_images"]),
        seed=request.seed,
        created_at=datetime.fromisoformat(record["created_at"]),
        started_at=_time(record.get("started_at")),
        ended_at=_time(record.get("ended_at")),
        expires_at=expires_at,
        problem=ProblemDetails.model_validate_json(problem) if problem else None,
        links=Job.links_of(job_id, state),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
