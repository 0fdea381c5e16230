"""How an upload becomes a job, or leaves nothing behind."""

import contextlib
import hashlib
import logging

from fastapi import UploadFile

from app.files.decoders import Decoders
from app.http.services import Services
from app.images.facts import ImageFacts
from app.jobs.admission.full_disk import refuse_on_full_disk
from app.jobs.admission.idempotency import Claim
from app.jobs.admission.request_limits import check_output_pixels, check_settings_limits
from app.jobs.inputs import understand
from app.jobs.model import Job, JobRequest, new_job_id
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
    refuse_on_full_disk(services.store.connection)
    services.instance.note_use()
    job_id = new_job_id(services.store.now().timestamp())
    try:
        hashes, facts = store_images(images, job_id, services)
        names = [name_of(number) for number in range(len(images))]
        inputs = understand(facts, request.bit_depth, names)
        check_output_pixels(request, inputs[0], services.settings)
        claim = None
        if idempotency_key is not None:
            claim = Claim.of(idempotency_key, [request.model_dump_json().encode(), *hashes], owner)
        job = services.store.create(job_id, request, len(images), claim, owner=owner, inputs=inputs)
    except CreationUnknownError:
        # If the job was created, it needs its files. If not, they are orphans and will be swept.
        raise
    except BaseException:
        discard_files(services, job_id)
        raise
    if job.id == job_id:
        log.info("job %s accepted", job_id, extra={"fields": {"job_id": job_id}})
    else:
        discard_files(services, job_id)
    return job


def store_images(
    images: list[UploadFile], job_id: str, services: Services
) -> tuple[list[bytes], list[ImageFacts]]:
    """Checks the uploads one by one and keeps the bytes as they came: their hashes, their facts.

    Raises:
        UnusableImage: the first fault, with its place.
        DecoderUnavailable: the fault is ours.
    """
    hashes, facts = [], []
    for number, upload in enumerate(images):
        try:
            content, fact = _read_upload(upload, services.decoders)
        except UnusableImage as problem:
            raise problem.in_field(name_of(number)) from problem
        services.storage.write(job_id, f"inputs/{number:03d}", content)
        hashes.append(hashlib.sha256(content).digest())
        facts.append(fact)
    return hashes, facts


def name_of(number: int) -> str:
    """What its sender calls the image."""
    return f"images[{number}]"


def discard_files(services: Services, job_id: str) -> None:
    """Removes what was stored for no job, or none any more; if it cannot be, it will be swept."""
    with contextlib.suppress(StorageUnavailable):
        services.storage.remove(job_id)


def _read_upload(upload: UploadFile, decoders: Decoders) -> tuple[bytes, ImageFacts]:
    """The file's bytes, which are a usable image, and what is known of it.

    Raises:
        UnusableImage: they are not.
        DecoderUnavailable: the fault is ours.
    """
    # Read when there is a decoder, so that no more files are in memory than are decoded.
    with decoders.borrow() as decoder:
        content = upload.file.read(decoders.limits.max_bytes + 1)
        return content, decoder.read(content).facts
