"""How an upload becomes a job, or leaves nothing behind."""

import contextlib
import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import UploadFile

from app.files.image_file import ImageFile, naming, open_images
from app.files.image_room import ImageRoom
from app.http.services import Services
from app.images.facts import ImageFacts
from app.jobs.admission.full_disk import refuse_on_full_disk
from app.jobs.admission.idempotency import Claim
from app.jobs.admission.request_limits import check_output_pixels, check_settings_limits
from app.jobs.inputs import understand
from app.jobs.model import Job, JobRequest, new_job_id
from app.jobs.store import CreationUnknownError
from app.problems import NoImages, StorageUnavailable

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
        stored = store_images(images, request.images_url, job_id, services)
        inputs = understand(stored.facts, request.bit_depth, stored.names)
        check_output_pixels(request, inputs[0], services.settings)
        claim = None
        if idempotency_key is not None:
            body = [request.model_dump_json().encode(), *stored.hashes]
            claim = Claim.of(idempotency_key, body, owner)
        job = services.store.create(job_id, request, len(inputs), claim, owner=owner, inputs=inputs)
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


@dataclass(frozen=True)
class StoredImages:
    """A request's images, one entry for each, in their order.

    Attributes:
        names: where the request has them.
        hashes: SHA-256 of the files.
        facts: what is known of them.
    """

    names: list[str]
    hashes: list[bytes]
    facts: list[ImageFacts]


def store_images(
    images: list[UploadFile], images_url: str | None, job_id: str, services: Services
) -> StoredImages:
    """Checks the images one by one and keeps their bytes as they came.

    Raises:
        UnusableImage: the first fault, with its place.
        InvalidRequest: images may not be taken from that address.
        UploadTooLarge: together they are too many bytes.
        DecoderUnavailable, StorageUnavailable: the fault is ours.
    """
    stored = StoredImages([], [], [])
    for file in _find_files(images, images_url, services):
        # Read when there is a decoder, so that no more files are in memory than are decoded.
        with services.decoders.borrow() as decoder, naming(file.name):
            content = file.read()
            facts = decoder.read(content).facts
        services.storage.write(job_id, f"inputs/{len(stored.facts):03d}", content)
        stored.names.append(file.name)
        stored.hashes.append(hashlib.sha256(content).digest())
        stored.facts.append(facts)
    return stored


def _find_files(
    images: list[UploadFile], images_url: str | None, services: Services
) -> Iterator[ImageFile]:
    """The image files of a request, those that were sent first."""
    if images_url is not None:
        # Whether it is allowed at all is told before anything is decoded.
        services.buckets.check(images_url)
    elif not images:
        raise NoImages("Send 1 or more files in the field `images`.")
    room = ImageRoom.of(services.settings)
    for number, upload in enumerate(images):
        yield from open_images(f"images[{number}]", upload.file, room)
    if images_url is not None:
        yield from services.buckets.open(images_url, room)


def discard_files(services: Services, job_id: str) -> None:
    """Removes what was stored for no job, or none any more; if it cannot be, it will be swept."""
    with contextlib.suppress(StorageUnavailable):
        services.storage.remove(job_id)
