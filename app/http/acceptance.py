"""How an upload becomes a job, or leaves nothing behind."""

import contextlib
import hashlib
import logging

from fastapi import UploadFile

from app.files.read_image import ImageLimits, read_image
from app.http.services import Services
from app.jobs.idempotency import Claim
from app.jobs.model import Job, JobRequest, new_job_id
from app.jobs.request_limits import check_settings_limits
from app.jobs.store import CreationUnknownError
from app.problems import StorageUnavailable, UnusableImage

log = logging.getLogger("goodmany.api")


def accept_job(
    request: JobRequest,
    images: list[UploadFile],
    services: Services,
    owner: str,
    idempotency_key: str | None,
) -> Job:
    """Stores the images and records the job, or leaves nothing behind.

    Raises:
        Problem: why there is no job.
    """
    check_settings_limits(request, services.settings)
    services.instance.note_use()
    job_id = new_job_id(services.store.now().timestamp())
    try:
        hashes = _store_images(images, job_id, services)
        claim = None
        if idempotency_key is not None:
            claim = Claim.of(idempotency_key, [request.model_dump_json().encode(), *hashes], owner)
        job = services.store.create(job_id, request, len(images), claim, owner=owner)
    except CreationUnknownError:
        # If the job was created, it needs its files. If not, they are orphans and will be swept.
        raise
    except BaseException:
        _discard_files(services, job_id)
        raise
    if job.id == job_id:
        log.info("job %s accepted", job_id, extra={"fields": {"job_id": job_id}})
    else:
        _discard_files(services, job_id)
    return job


def _store_images(images: list[UploadFile], job_id: str, services: Services) -> list[bytes]:
    """Checks the uploads one by one, keeps the bytes as they came and returns their hashes.

    Raises:
        UnusableImage: the first fault, with its place.
    """
    settings = services.settings
    limits = ImageLimits.from_settings(settings)
    hashes = []
    for number, upload in enumerate(images):
        try:
            content = services.decoding.submit(_read_upload, upload, limits).result()
        except UnusableImage as problem:
            raise problem.in_field(f"images[{number}]") from problem
        services.storage.write(job_id, f"inputs/{number:03d}", content)
        hashes.append(hashlib.sha256(content).digest())
    return hashes


def _discard_files(services: Services, job_id: str) -> None:
    """Removes what was stored for a job that will not be; if it cannot be, it will be swept."""
    with contextlib.suppress(StorageUnavailable):
        services.storage.remove(job_id)


def _read_upload(upload: UploadFile, limits: ImageLimits) -> bytes:
    """The file's bytes, which are a usable image.

    Raises:
        UnusableImage: they are not.
    """
    content = upload.file.read(limits.max_bytes + 1)
    read_image(content, limits)
    return content
