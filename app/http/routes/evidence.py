"""The HTTP routes of what a job is judged by: its real images, their maps, what was rejected."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Annotated
from zipfile import ZipFile

from fastapi import APIRouter, Depends, Path, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from app.files.file_names import content_disposition
from app.http.job_outputs import KEPT, OUTPUT_PROBLEMS, job_output, open_output
from app.http.known_query import refuse_unknown_query
from app.http.openapi.responses import problems
from app.http.report.write import report_policy, write_report
from app.http.services import OwnerDep, Services, ServicesDep
from app.jobs.evidence import EVIDENCE_FILE, INDEX_FILE, Evidence, EvidenceKind, picture_name
from app.jobs.model import JobState
from app.problems import (
    ImageNotFound,
    InvalidRequest,
    JobExpired,
    JobNotFound,
    NotReady,
    StorageUnavailable,
)

ANY_FILE = "application/octet-stream"
Number = Annotated[int, Path(ge=0, description="0 is the first.")]

router = APIRouter(
    prefix="/v1/jobs",
    tags=["files"],
    responses=problems(NotReady, InvalidRequest),
    dependencies=[Depends(refuse_unknown_query)],
)


@router.get(
    "/{job_id}/inputs/{number}",
    operation_id="get_input",
    summary="One of the real images, as it was sent",
    response_class=Response,
    responses={
        200: {
            "description": "The file",
            "content": {ANY_FILE: {"schema": {"type": "string", "format": "binary"}}},
        },
        **problems(JobNotFound, JobExpired, ImageNotFound, StorageUnavailable),
    },
)
def get_input(job_id: str, number: Number, services: ServicesDep, owner: OwnerDep) -> Response:
    """To send it again with a changed request; it stays as long as the job's other files."""
    if services.store.get(job_id, owner).state is JobState.expired:
        raise JobExpired(f"Job {job_id} is expired.")
    names = services.storage.names(job_id, "inputs")
    if number >= len(names):
        raise ImageNotFound(f"Job {job_id} has {len(names)} inputs, numbered from 0.")
    content = services.storage.read(job_id, names[number])
    # Whatever it is, no browser is to show it as a page of ours.
    headers = {**KEPT, "Content-Disposition": f'attachment; filename="input-{number}"'}
    return Response(content, media_type=ANY_FILE, headers=headers)


@router.get(
    "/{job_id}/evidence",
    operation_id="get_evidence",
    summary="What there are pictures of, and what the guard kept out",
    responses=problems(*OUTPUT_PROBLEMS, ImageNotFound),
)
def get_evidence(
    job_id: str, services: ServicesDep, owner: OwnerDep, response: Response
) -> Evidence:
    """Beside the archive, for people: nothing of it is for training."""
    response.headers.update(KEPT)
    with _open_evidence(services, owner, job_id) as evidence:
        return Evidence.model_validate_json(evidence.read(INDEX_FILE))


@router.get(
    "/{job_id}/evidence/{kind}/{number}",
    operation_id="get_evidence_picture",
    summary="A real image as it was used, its map of the variance, a rejected or a new image",
    response_class=Response,
    responses={
        200: {
            "description": "The picture",
            "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
        },
        **problems(*OUTPUT_PROBLEMS, ImageNotFound),
    },
)
def get_evidence_picture(
    job_id: str, kind: EvidenceKind, number: Number, services: ServicesDep, owner: OwnerDep
) -> Response:
    """All of the new images' shape, to be laid over each other; the new ones are small."""
    with _open_evidence(services, owner, job_id) as evidence:
        try:
            content = evidence.read(picture_name(kind, number))
        except KeyError:
            raise ImageNotFound(f"Job {job_id} has no such picture: {kind} {number}.") from None
    return Response(content, media_type="image/jpeg", headers=KEPT)


@router.get(
    "/{job_id}/report",
    operation_id="get_report",
    summary="All of it on one page, to be kept or sent on",
    response_class=HTMLResponse,
    responses={
        200: {"description": "HTML that needs nothing beside it, and no script"},
        **problems(*OUTPUT_PROBLEMS, ImageNotFound),
    },
)
def get_report(job_id: str, services: ServicesDep, owner: OwnerDep) -> StreamingResponse:
    """Real and new images, what may vary, what was rejected and why, prompt, models, versions."""
    parts = _report(services, owner, job_id)
    # What is wrong is found before the answer begins.
    parts = chain([next(parts)], parts)
    name = services.store.get(job_id, owner).object_name
    disposition = content_disposition(name, f"-{job_id[-8:]}-report.html")
    headers = {
        **KEPT,
        "Content-Security-Policy": report_policy(),
        "Content-Disposition": disposition.replace("attachment", "inline", 1),
    }
    return StreamingResponse(parts, media_type="text/html", headers=headers)


def _report(services: Services, owner: str, job_id: str) -> Iterator[str]:
    with (
        open_output(services, owner, job_id, "archive.zip") as archive,
        _open_evidence(services, owner, job_id) as evidence,
    ):
        yield from write_report(archive, evidence)


@contextmanager
def _open_evidence(services: Services, owner: str, job_id: str) -> Iterator[ZipFile]:
    """The evidence of a finished job.

    Raises:
        Problem: there is none, and why.
    """
    with job_output(services, owner, job_id, EVIDENCE_FILE) as path:
        if path not in services.storage.names(job_id, path.rpartition("/")[0]):
            raise ImageNotFound(f"Job {job_id} was done by a version that keeps no evidence.")
    with open_output(services, owner, job_id, EVIDENCE_FILE) as evidence:
        yield evidence
