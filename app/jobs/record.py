"""From a job's request to its hash in Redis, and from the hash to the job that a client sees.

A record may have been written by another version of this service: fields are missing, others are
new, a word is not known here. It is read as far as it is understood, and never breaks a list, a
cancel or a webhook. Only who works on the job needs to understand all of it (`read_request`).
"""

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from app.images.output_size import Size, output_size
from app.jobs.inputs import InputImage
from app.jobs.model import (
    Job,
    JobRequest,
    JobStage,
    JobState,
    Priority,
    ProblemDetails,
    time_of_job_id,
)
from app.observability.logs import current_log_fields
from app.problems import InternalError, OtherVersion, Problem

Word = TypeVar("Word", bound=StrEnum)

OTHER_VERSION = InternalError("The job's record was written by another version of this service.")

INPUTS = TypeAdapter(list[InputImage])


def new_record(
    request: JobRequest,
    num_inputs: int,
    owner: str,
    *,
    now: datetime,
    inputs: Sequence[InputImage] = (),
    held_out: Sequence[InputImage] = (),
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
        "created_at": now.isoformat(),
        "state_since": str(now.timestamp()),
        # For the lines that other processes log of this job.
        "log_fields": json.dumps(dict(current_log_fields())),
    }
    if held_out:
        record["held_out"] = INPUTS.dump_json(list(held_out)).decode()
    if request.callback_url is not None:
        record["callback_url"] = str(request.callback_url)
    if request.expires_in_s is not None:
        record["expires_in_s"] = str(request.expires_in_s)
    return record


def read_record(
    job_id: str, record: dict[str, str], queue_position: int | None, now: datetime
) -> Job:
    """The job; one whose time is over counts as expired even before its files are removed."""
    expires_at = _read_time(record.get("expires_at"))
    if expires_at is not None and expires_at <= now:
        record = {**record, "state": JobState.expired}
    return _read(job_id, record, queue_position)


def read_as_ended(job_id: str, record: dict[str, str]) -> Job:
    """The job as it stood when it ended, however much later that is."""
    return _read(job_id, {**record, "state": ended_as(record)}, None)


def ended_as(record: dict[str, str]) -> JobState:
    """How a job that is over ended."""
    return (
        read_word(JobState, record.get("ended_as")) or read_word(JobState, record.get("state"))
    ) or JobState.failed


def read_request(record: dict[str, str]) -> JobRequest:
    """The whole request, to be worked on.

    Raises:
        OtherVersion: there is something in it that is not known here, and a job that ignores
            a part of its request would be another job.
    """
    try:
        return JobRequest.model_validate_json(record.get("request", ""))
    except ValidationError as error:
        fields = sorted({".".join(map(str, fault["loc"])) or "request" for fault in error.errors()})
        raise OtherVersion(
            "The request was accepted by another version of this service, and this worker does "
            f"not understand it: {', '.join(fields)}."
        ) from error


def read_creation(job_id: str, record: dict[str, str]) -> datetime:
    """When the job was accepted."""
    noted = _read_time(record.get("created_at"))
    return noted or datetime.fromtimestamp(time_of_job_id(job_id), UTC)


def read_priority(record: dict[str, str]) -> Priority:
    """Which queue the job waits in."""
    return read_word(Priority, _request_fields(record).get("priority")) or Priority.interactive


def read_state(state: str | None, ended_at: str | None) -> JobState:
    """The state; one that is not known here is `failed` when the job is over, else `running`."""
    known = read_word(JobState, state)
    return known or (JobState.failed if ended_at else JobState.running)


def read_word(words: type[Word], text: object) -> Word | None:
    """The word; None when there is none or it is not known here."""
    try:
        return words(str(text))
    except ValueError:
        return None


def read_number(text: object, default: float = 0.0) -> float:
    """The number that the text spells, if it is one."""
    try:
        number = float(str(text))
    except ValueError:
        return default
    return number if math.isfinite(number) else default


def read_inputs_told(record: dict[str, str], name: str = "inputs") -> list[InputImage]:
    """What was understood of each image, or of each under another name; empty if not known here."""
    try:
        return INPUTS.validate_json(record.get(name) or "[]")
    except ValidationError:
        return []


def read_log_fields(record: dict[str, str]) -> dict[str, str]:
    """What stands on the lines that are logged of this job."""
    return {str(k): str(v) for k, v in _json_object(record.get("log_fields")).items()}


def _read(job_id: str, record: dict[str, str], queue_position: int | None) -> Job:
    fields = _request_fields(record)
    state = read_state(record.get("state"), record.get("ended_at"))
    is_known = record.get("state") == state or not state.is_over
    inputs = read_inputs_told(record)
    width, height = _output_size(inputs, fields) or (None, None)
    request = _read_request_leniently(record)
    has_callback = bool(record.get("callback_url") or fields.get("callback_url"))
    return Job(
        id=job_id,
        state=state,
        stage=read_word(JobStage, record.get("stage")),
        percent=min(100.0, max(0.0, read_number(record.get("percent")))),
        queue_position=queue_position if state is JobState.queued else None,
        priority=read_priority(record),
        object_name=str(fields.get("object_name", "")),
        prompt=record.get("prompt") or None,
        num_images_requested=int(read_number(fields.get("num_images"))),
        num_images=int(read_number(record.get("num_images"))),
        width=width,
        height=height,
        seed=int(read_number(fields.get("seed"))),
        request=request,
        inputs=inputs,
        held_out=read_inputs_told(record, "held_out"),
        created_at=read_creation(job_id, record),
        started_at=_read_time(record.get("started_at")),
        ended_at=_read_time(record.get("ended_at")),
        expires_at=_read_time(record.get("expires_at")),
        problem=_read_problem(record.get("problem"), is_failure_known=is_known),
        links=Job.links_of(
            job_id,
            state,
            has_variance=request is None or request.preset.uses_sigma,
            has_callback=has_callback,
        ),
    )


def _output_size(inputs: list[InputImage], fields: dict[str, Any]) -> Size | None:
    """(width, height) of the new images; None when the record does not tell."""
    image_size = int(read_number(fields.get("image_size"))) or None
    if not inputs or min(image_size or 1, inputs[0].width, inputs[0].height) < 1:
        return None
    return output_size((inputs[0].width, inputs[0].height), image_size)


def _request_fields(record: dict[str, str]) -> dict[str, Any]:
    return _json_object(record.get("request"))


def _read_request_leniently(record: dict[str, str]) -> JobRequest | None:
    """The request, if all is known here; not the address to call, which may hold a secret."""
    try:
        request = JobRequest.model_validate_json(record.get("request", ""))
        return request.model_copy(update={"callback_url": None})
    except ValidationError:
        return None


def _json_object(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _read_problem(text: str | None, *, is_failure_known: bool) -> ProblemDetails | None:
    if not text:
        return None if is_failure_known else _details(OTHER_VERSION)
    try:
        return ProblemDetails.model_validate_json(text)
    except ValidationError:
        return _details(OTHER_VERSION)


def _details(problem: Problem) -> ProblemDetails:
    return ProblemDetails.model_validate(problem.as_dict())


def _read_time(text: str | None) -> datetime | None:
    """The time, in UTC where nothing else is said; None when it is none."""
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
