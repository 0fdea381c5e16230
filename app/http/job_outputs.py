"""Where the files of a finished job lie, or why there are none."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from zipfile import ZipFile

from app.files.storage import outputs_of
from app.http.services import Services
from app.jobs.model import JobState
from app.problems import (
    JobExpired,
    JobNotFinished,
    JobNotFound,
    JobWithoutArchive,
    NotReady,
    StorageUnavailable,
)

# The files of a job never change, and a browser with another key asks again.
KEPT = {"Cache-Control": "private, max-age=86400, immutable", "Vary": "Authorization"}
OUTPUT_PROBLEMS = (
    JobNotFound,
    JobNotFinished,
    JobWithoutArchive,
    JobExpired,
    NotReady,
    StorageUnavailable,
)


@contextmanager
def job_output(services: Services, owner: str, job_id: str, name: str) -> Iterator[str]:
    """Where in the job's files the output lies, for a block that reads it.

    Raises:
        Problem: the job has no outputs, or loses them in this moment; each reason has its own.
    """
    path = _locate(services, owner, job_id, name)
    try:
        yield path
    except StorageUnavailable:
        _locate(services, owner, job_id, name)
        raise


@contextmanager
def open_output(services: Services, owner: str, job_id: str, name: str) -> Iterator[ZipFile]:
    """A ZIP among the job's outputs.

    Raises:
        Problem: as of `job_output`.
    """
    with (
        job_output(services, owner, job_id, name) as path,
        services.storage.open(job_id, path) as file,
        ZipFile(file) as archive,
    ):
        yield archive


def _locate(services: Services, owner: str, job_id: str, name: str) -> str:
    state = services.store.get(job_id, owner).state
    refusals: dict[JobState, Callable[[str], Exception]] = {
        JobState.queued: JobNotFinished,
        JobState.running: JobNotFinished,
        JobState.failed: JobWithoutArchive,
        JobState.canceled: JobWithoutArchive,
        JobState.expired: JobExpired,
    }
    if state in refusals:
        raise refusals[state](f"Job {job_id} is {state}.")
    _, attempt = services.store.standing(job_id)
    return f"{outputs_of(attempt)}/{name}"
