"""From a job's request to its hash in Redis, and from the hash to the job that a client sees."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import TypeAdapter

from app.jobs.inputs import InputImage
from app.jobs.model import Job, JobRequest, JobStage, JobState, ProblemDetails
from app.observability.logs import current_log_fields

INPUTS = TypeAdapter(list[InputImage])


def new_record(
    request: JobRequest, num_inputs: int, owner: str, inputs: Sequence[InputImage] = ()
) -> dict[str, str]:
    """What is known of a job when it is accepted."""
    record = {
        "state": JobState.queued,
        "owner": owner,
        "percent": "0",
        "num_images": "0",
        "num_inputs": str(num_inputs),
        "request": request.model_dump_json(),
        "inputs": INPUTS.dump_json(list(inputs)).decode(),
        "created_at": datetime.now(UTC).isoformat(),
        "state_since": str(time.time()),
        # For the lines that other processes log of this job.
        "log_fields": json.dumps(dict(current_log_fields())),
    }
    if request.callback_url is not None:
        record["callback_url"] = str(request.callback_url)
    if request.expires_in_s is not None:
        record["expires_in_s"] = str(request.expires_in_s)
    return record


def read_record(job_id: str, record: dict[str, str], queue_position: int | None = None) -> Job:
    """The job; one whose time is over counts as expired even before its files are removed."""
    expires_at = _time(record.get("expires_at"))
    if expires_at is not None and expires_at <= datetime.now(UTC):
        record = {**record, "state": JobState.expired}
    return _read(job_id, record, queue_position)


def read_as_ended(job_id: str, record: dict[str, str]) -> Job:
    """The job as it stood when it ended, however much later that is."""
    return _read(job_id, {**record, "state": record["ended_as"]}, None)


def _read(job_id: str, record: dict[str, str], queue_position: int | None) -> Job:
    request = JobRequest.model_validate_json(record["request"])
    state = JobState(record["state"])
    problem = record.get("problem")
    return Job(
        id=job_id,
        state=state,
        stage=JobStage(record["stage"]) if record.get("stage") else None,
        percent=float(record["percent"]),
        queue_position=queue_position if state is JobState.queued else None,
        priority=request.priority,
        object_name=request.object_name,
        prompt=record.get("prompt") or None,
        num_images_requested=request.num_images,
        num_images=int(record["num_images"]),
        seed=request.seed,
        inputs=INPUTS.validate_json(record.get("inputs") or "[]"),
        created_at=datetime.fromisoformat(record["created_at"]),
        started_at=_time(record.get("started_at")),
        ended_at=_time(record.get("ended_at")),
        expires_at=_time(record.get("expires_at")),
        problem=ProblemDetails.model_validate_json(problem) if problem else None,
        links=Job.links_of(job_id, state, has_callback=request.callback_url is not None),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
