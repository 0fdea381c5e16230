"""The HTTP routes of what a finished job hands out."""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from app.files.downloads import send_file
from app.files.file_names import content_disposition
from app.files.storage import outputs_of
from app.http.known_query import refuse_unknown_query
from app.http.openapi.responses import RANGE_PARAMETERS, binary, problems
from app.http.services import OwnerDep, Services, ServicesDep
from app.jobs.model import JobState
from app.problems import (
    ImageNotFound,
    InvalidRequest,
    JobExpired,
    JobNotFinished,
    JobNotFound,
    JobWithoutArchive,
    NotReady,
    RangeNotSatisfiable,
    StorageUnavailable,
)

FILE_PROBLEMS = (
    JobNotFound,
    JobNotFinished,
    JobWithoutArchive,
    JobExpired,
    NotReady,
    StorageUnavailable,
    RangeNotSatisfiable,
)

router = APIRouter(
    prefix="/v1/jobs",
    tags=["files"],
    responses=problems(NotReady, InvalidRequest),
    dependencies=[Depends(refuse_unknown_query)],
)


@router.get(
    "/{job_id}/archive",
    operation_id="get_archive",
    summary="The ZIP",
    response_class=Response,
    responses=binary("application/zip", "The ZIP") | problems(*FILE_PROBLEMS),
    openapi_extra={"parameters": RANGE_PARAMETERS},
)
def get_archive(job_id: str, services: ServicesDep, owner: OwnerDep, request: Request) -> Response:
    """Images, table and manifest; byte ranges and ETag are understood."""
    return _send(
        request,
        services,
        owner,
        job_id,
        name="archive.zip",
        suffix=".zip",
        media_type="application/zip",
    )


@router.get(
    "/{job_id}/preview",
    operation_id="get_preview",
    summary="Inputs beside outputs, as one picture",
    response_class=Response,
    responses=binary("image/png", "The picture") | problems(*FILE_PROBLEMS),
    openapi_extra={"parameters": RANGE_PARAMETERS},
)
def get_preview(job_id: str, services: ServicesDep, owner: OwnerDep, request: Request) -> Response:
    """For the eye; the archive holds the images themselves."""
    return _send(
        request,
        services,
        owner,
        job_id,
        name="preview.png",
        suffix="-preview.png",
        media_type="image/png",
    )


@router.get(
    "/{job_id}/variance",
    operation_id="get_variance",
    summary="Where the generator lets the images vary",
    response_class=Response,
    responses=binary("image/png", "The picture") | problems(*FILE_PROBLEMS),
    openapi_extra={"parameters": RANGE_PARAMETERS},
)
def get_variance(job_id: str, services: ServicesDep, owner: OwnerDep, request: Request) -> Response:
    """The sigma map of each input: bright where good parts differ."""
    return _send(
        request,
        services,
        owner,
        job_id,
        name="variance.png",
        suffix="-variance.png",
        media_type="image/png",
    )


@router.get(
    "/{job_id}/images/{number}",
    operation_id="get_image",
    summary="One generated image",
    response_class=Response,
    responses={
        200: binary("image/png", "The image")[200],
        **problems(*FILE_PROBLEMS[:-1], ImageNotFound, InvalidRequest),
    },
)
def get_image(
    job_id: str,
    number: Annotated[int, Path(ge=0, description="0 is the first.")],
    services: ServicesDep,
    owner: OwnerDep,
) -> Response:
    """The PNG as it stands in the archive."""
    with (
        _output(services, owner, job_id, "archive.zip") as name,
        services.storage.open(job_id, name) as file,
        zipfile.ZipFile(file) as archive,
    ):
        names = [name for name in archive.namelist() if "/train/good/" in name]
        if number >= len(names):
            raise ImageNotFound(f"Job {job_id} has {len(names)} images, numbered from 0.")
        return Response(archive.read(names[number]), media_type="image/png")


def _send(
    request: Request,
    services: Services,
    owner: str,
    job_id: str,
    *,
    name: str,
    suffix: str,
    media_type: str,
) -> Response:
    object_name = services.store.get(job_id, owner).object_name
    with _output(services, owner, job_id, name) as path:
        return send_file(
            request,
            services.storage,
            job_id,
            path,
            media_type=media_type,
            # Two jobs of one object are told apart by their ids' ends.
            disposition=content_disposition(object_name, f"-{job_id[-8:]}{suffix}"),
        )


@contextmanager
def _output(services: Services, owner: str, job_id: str, name: str) -> Iterator[str]:
    """Where in the job's files the output lies, for a block that reads it.

    Raises:
        Problem: the job has no outputs, or loses them in this moment; each reason has its own.
    """
    path = _locate_output(services, owner, job_id, name)
    try:
        yield path
    except StorageUnavailable:
        _locate_output(services, owner, job_id, name)
        raise


def _locate_output(services: Services, owner: str, job_id: str, name: str) -> str:
    """Where in the job's files the output lies.

    Raises:
        Problem: the job has no outputs; each reason has its own.
    """
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
