"""The HTTP routes of what a finished job hands out."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from app.files.downloads import send_file
from app.files.file_names import content_disposition
from app.files.shorter_archive import flatten_archive, image_names, shorten_archive
from app.http.job_outputs import KEPT, OUTPUT_PROBLEMS, job_output, open_output
from app.http.known_query import refuse_unknown_query
from app.http.openapi.responses import RANGE_PARAMETERS, binary, problems
from app.http.services import OwnerDep, Services, ServicesDep
from app.jobs.model import JobState
from app.problems import ImageNotFound, InvalidRequest, NotReady, RangeNotSatisfiable

FILE_PROBLEMS = (*OUTPUT_PROBLEMS, RangeNotSatisfiable)
ARCHIVE = "archive.zip"
NUMBERS = r"^[0-9]{1,4}(,[0-9]{1,4})*$"


class Layout(StrEnum):
    """How the ZIP is laid out: as training tools read it, or for an upload of single images."""

    folder = "folder"
    flat = "flat"


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
    responses=binary("application/zip", "The ZIP") | problems(*FILE_PROBLEMS, ImageNotFound),
    openapi_extra={"parameters": RANGE_PARAMETERS},
)
def get_archive(
    job_id: str,
    *,
    services: ServicesDep,
    owner: OwnerDep,
    request: Request,
    without: Annotated[
        str | None,
        Query(
            pattern=NUMBERS,
            max_length=5000,
            description="Numbers of images to leave out, with commas: `3,7`.",
        ),
    ] = None,
    layout: Annotated[
        Layout, Query(description="`flat`: the images alone, in no folder, for an upload.")
    ] = Layout.folder,
) -> Response:
    """Images, table and manifest; ranges and ETag are understood, but not with a parameter."""
    if without or layout is Layout.flat:
        left_out = frozenset(map(int, without.split(","))) if without else frozenset()
        return _send_other(services, owner, job_id, left_out, layout)
    return _send(
        request,
        services,
        owner,
        job_id,
        name=ARCHIVE,
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
    responses=binary("image/png", "The picture") | problems(*FILE_PROBLEMS, ImageNotFound),
    openapi_extra={"parameters": RANGE_PARAMETERS},
)
def get_variance(job_id: str, services: ServicesDep, owner: OwnerDep, request: Request) -> Response:
    """The sigma map of each input: bright where good parts differ. Not of a `goodmany` job."""
    job = services.store.get(job_id, owner)
    if job.state is JobState.succeeded and job.links.variance is None:
        raise ImageNotFound(f"Job {job_id} has no such picture: sigma varied none of its images.")
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
        **problems(*OUTPUT_PROBLEMS, ImageNotFound, InvalidRequest),
    },
)
def get_image(
    job_id: str,
    number: Annotated[int, Path(ge=0, description="0 is the first.")],
    services: ServicesDep,
    owner: OwnerDep,
) -> Response:
    """The PNG as it stands in the archive."""
    with open_output(services, owner, job_id, ARCHIVE) as archive:
        name = _image_name(job_id, image_names(archive), number)
        return Response(archive.read(name), media_type="image/png", headers=KEPT)


@router.get(
    "/{job_id}/manifest",
    operation_id="get_manifest",
    summary="Everything about the job",
    response_class=Response,
    responses={
        200: {
            "description": "`manifest.json` of the archive",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        **problems(*OUTPUT_PROBLEMS),
    },
)
def get_manifest(job_id: str, services: ServicesDep, owner: OwnerDep) -> Response:
    """As it stands in the archive: prompt, views, rejections, and each image with its scores."""
    with open_output(services, owner, job_id, ARCHIVE) as archive:
        content = archive.read("manifest.json")
    return Response(content, media_type="application/json", headers=KEPT)


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
    with job_output(services, owner, job_id, name) as path:
        return send_file(
            request,
            services.storage,
            job_id,
            path,
            media_type=media_type,
            # Two jobs of one object are told apart by their ids' ends.
            disposition=content_disposition(object_name, f"-{job_id[-8:]}{suffix}"),
        )


def _send_other(
    services: Services, owner: str, job_id: str, without: frozenset[int], layout: Layout
) -> StreamingResponse:
    object_name = services.store.get(job_id, owner).object_name
    with (
        job_output(services, owner, job_id, ARCHIVE) as path,
        open_output(services, owner, job_id, ARCHIVE) as archive,
    ):
        names = image_names(archive)
        left_out = {_image_name(job_id, names, number) for number in without}
    if len(left_out) == len(names):
        fault = {"field": "without", "code": "nothing_left", "detail": "No image would be left."}
        raise InvalidRequest("Not valid: without. No image would be left.", errors=[fault])

    def read() -> Iterator[bytes]:
        with services.storage.open(job_id, path) as file:
            write = flatten_archive if layout is Layout.flat else shorten_archive
            yield from write(file, left_out)

    told = [f"without-{len(left_out)}"] if left_out else []
    suffix = "-".join(["", job_id[-8:], *told, *(["flat"] if layout is Layout.flat else [])])
    headers = {"Content-Disposition": content_disposition(object_name, f"{suffix}.zip")}
    return StreamingResponse(read(), media_type="application/zip", headers=headers)


def _image_name(job_id: str, names: list[str], number: int) -> str:
    if number >= len(names):
        raise ImageNotFound(f"Job {job_id} has {len(names)} images, numbered from 0.")
    return names[number]
