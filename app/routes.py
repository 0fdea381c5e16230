"""The jobs' HTTP routes: accept, report, cancel, hand out."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response, UploadFile
from pydantic import ConfigDict, Field

from app.downloads import send_file
from app.jobs import Job, JobList, JobRequest, JobState, new_job_id
from app.openapi import binary, problems
from app.problems import (
    DamagedImage,
    EmptyImage,
    ImageTooLarge,
    ImageTooSmall,
    InvalidRequest,
    JobAlreadyOver,
    JobExpired,
    JobNotFinished,
    JobNotFound,
    JobWithoutArchive,
    MalformedBody,
    NoImages,
    NotAnImage,
    NotReady,
    RangeNotSatisfiable,
    SeveralFrames,
    TooManyImages,
    UnusableImage,
    UploadTooLarge,
)
from app.services import Services, ServicesDep
from app.uploads import ImageLimits, read_image

POLL_EVERY_S = "1"
FILE_PROBLEMS = (JobNotFound, JobNotFinished, JobWithoutArchive, JobExpired, RangeNotSatisfiable)

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=problems(NotReady))


class JobForm(JobRequest):
    """The wish with its images, as a form."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    images: Annotated[
        list[UploadFile],
        Field(description="1 to 50 good images: PNG, JPEG, BMP, TIFF or WebP, 8 or 16 bit."),
    ]


@router.post(
    "",
    operation_id="create_job",
    summary="Submit good images, get a job",
    status_code=202,
    response_description="The job is queued; poll the address in `Location`",
    responses=problems(
        MalformedBody,
        UploadTooLarge,
        InvalidRequest,
        NoImages,
        TooManyImages,
        EmptyImage,
        NotAnImage,
        DamagedImage,
        ImageTooLarge,
        ImageTooSmall,
        SeveralFrames,
    ),
)
def create_job(form: Annotated[JobForm, Form()], services: ServicesDep, response: Response) -> Job:
    """Checks everything now, so that what is accepted can be worked on."""
    job_id = new_job_id()
    try:
        _store_images(form.images, job_id, services)
        request = JobRequest.model_validate(form.model_dump(exclude={"images"}))
        job = services.store.create(job_id, request, len(form.images))
    except BaseException:
        services.storage.remove(job_id)
        raise
    response.headers["Location"] = job.links.self
    response.headers["Retry-After"] = POLL_EVERY_S
    return job


@router.get("", operation_id="list_jobs", summary="The jobs, the newest first")
def list_jobs(
    services: ServicesDep,
    cursor: Annotated[
        str | None,
        Query(pattern="^[0-9a-f]{32}$", description="`next_cursor` of the page before."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> JobList:
    """One page; a later page never repeats or skips a job when new ones come in."""
    return services.store.page(cursor, limit)


@router.get(
    "/{job_id}",
    operation_id="get_job",
    summary="How the job stands",
    responses=problems(JobNotFound),
)
def get_job(job_id: str, services: ServicesDep, response: Response) -> Job:
    """State, stage, percent, the chosen prompt, counts, and the problem if it failed."""
    job = services.store.get(job_id)
    if not job.state.is_over:
        response.headers["Retry-After"] = POLL_EVERY_S
    return job


@router.post(
    "/{job_id}/cancel",
    operation_id="cancel_job",
    summary="Stop the job",
    status_code=202,
    response_description="The job is canceled; its worker stops at its next step",
    responses=problems(JobNotFound, JobAlreadyOver, JobExpired),
)
def cancel_job(job_id: str, services: ServicesDep) -> Job:
    """After a 202 the job is canceled for certain; after a 409 it had ended before."""
    return services.store.cancel(job_id)


@router.get(
    "/{job_id}/archive",
    operation_id="get_archive",
    summary="The ZIP",
    response_class=Response,
    responses=binary("application/zip", "The ZIP") | problems(*FILE_PROBLEMS),
)
def get_archive(job_id: str, services: ServicesDep, request: Request) -> Response:
    """Images, table and manifest; byte ranges and ETag are understood."""
    return _send(request, services, job_id, "archive.zip", "application/zip")


@router.get(
    "/{job_id}/preview",
    operation_id="get_preview",
    summary="Inputs beside outputs, as one picture",
    response_class=Response,
    responses=binary("image/png", "The picture") | problems(*FILE_PROBLEMS),
)
def get_preview(job_id: str, services: ServicesDep, request: Request) -> Response:
    """For the eye; the archive holds the images themselves."""
    return _send(request, services, job_id, "preview.png", "image/png")


@router.get(
    "/{job_id}/variance",
    operation_id="get_variance",
    summary="Where the generator lets the images vary",
    response_class=Response,
    responses=binary("image/png", "The picture") | problems(*FILE_PROBLEMS),
)
def get_variance(job_id: str, services: ServicesDep, request: Request) -> Response:
    """The sigma map of each input: bright where good parts differ."""
    return _send(request, services, job_id, "variance.png", "image/png")


def _store_images(images: list[UploadFile], job_id: str, services: Services) -> None:
    """Checks the uploads one by one and keeps the bytes as they came.

    Raises:
        UnusableImage: the first fault, with its place.
    """
    settings = services.settings
    limits = ImageLimits.from_settings(settings)
    if len(images) > settings.max_images:
        raise TooManyImages(f"{len(images)} images; at most {settings.max_images} are taken.")
    for number, upload in enumerate(images):
        with services.decoding:
            content = upload.file.read(limits.max_bytes + 1)
            try:
                read_image(content, limits)
            except UnusableImage as problem:
                raise problem.in_field(f"images[{number}]") from problem
        services.storage.write(job_id, f"inputs/{number:03d}", content)


def _send(
    request: Request, services: Services, job_id: str, name: str, media_type: str
) -> Response:
    state = services.store.get(job_id).state
    refusals: dict[JobState, Callable[[str], Exception]] = {
        JobState.queued: JobNotFinished,
        JobState.running: JobNotFinished,
        JobState.failed: JobWithoutArchive,
        JobState.canceled: JobWithoutArchive,
        JobState.expired: JobExpired,
    }
    if state in refusals:
        raise refusals[state](f"Job {job_id} is {state}.")
    return send_file(
        request,
        services.storage,
        job_id,
        name,
        media_type=media_type,
        file_name=f"goodmany-{job_id[-8:]}-{name}",
    )
