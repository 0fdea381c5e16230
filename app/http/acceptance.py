"""How an upload becomes a job, or leaves nothing behind."""

import contextlib
import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import UploadFile

from app.files.image_file import ImageFile, naming, open_images
from app.files.image_room import ImageRoom
from app.http.job_form import JobForm
from app.http.services import Services
from app.http.views_form import ViewsForm
from app.images.facts import ImageFacts
from app.jobs.admission.full_disk import refuse_on_full_disk
from app.jobs.admission.idempotency import Claim
from app.jobs.admission.request_limits import (
    check_held_out,
    check_output_pixels,
    check_settings_limits,
)
from app.jobs.inputs import understand
from app.jobs.model import Job, new_job_id
from app.jobs.store import CreationUnknownError
from app.problems import StorageUnavailable

log = logging.getLogger("goodmany.api")

HELD_OUT = "held_out_images"


def accept_job(
    form: JobForm,
    services: Services,
    owner: str,
    idempotency_key: str | None,
) -> Job:
    """Stores the images and records the job, or leaves nothing behind.

    Raises:
        Problem: why there is no job.
    """
    request = form.request
    check_settings_limits(request, services.settings)
    refuse_on_full_disk(services.store.connection)
    services.instance.note_use()
    job_id = new_job_id(services.store.now().timestamp())
    try:
        stored = store_images(form, job_id, services)
        understood = understand(stored.facts, request.bit_depth, stored.names)
        inputs, held_out = understood[: stored.num_given], understood[stored.num_given :]
        check_held_out(held_out, len(inputs))
        check_output_pixels(request, inputs[0], services.settings)
        claim = None
        if idempotency_key is not None:
            body = [request.model_dump_json().encode(), *stored.hashes]
            if held_out:
                body.insert(1, f"{len(inputs)} given".encode())
            claim = Claim.of(idempotency_key, body, owner)
        job = services.store.create(
            job_id, request, len(inputs), claim, owner=owner, inputs=inputs, held_out=held_out
        )
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
    """A request's images, one entry for each, in their order; those that are held out come last.

    Attributes:
        num_given: how many are not held out.
        names: where the request has them.
        hashes: SHA-256 of the files.
        facts: what is known of them.
    """

    num_given: int
    names: list[str]
    hashes: list[bytes]
    facts: list[ImageFacts]


def store_images(form: JobForm | ViewsForm, job_id: str, services: Services) -> StoredImages:
    """Checks the images one by one and keeps their bytes as they came.

    Raises:
        UnusableImage: the first fault, with its place.
        InvalidRequest: images may not be taken from that address.
        UploadTooLarge: together they are too many bytes.
        DecoderUnavailable, StorageUnavailable: the fault is ours.
    """
    names: list[str] = []
    hashes: list[bytes] = []
    facts: list[ImageFacts] = []
    num_given = 0
    for field, file in _find_files(form, services):
        # Read when there is a decoder, so that no more files are in memory than are decoded.
        with services.decoders.borrow() as decoder, naming(file.name):
            content = file.read()
            facts.append(decoder.read(content).facts)
        services.storage.write(job_id, f"inputs/{len(names):03d}", content)
        names.append(file.name)
        hashes.append(hashlib.sha256(content).digest())
        num_given += field != HELD_OUT
    return StoredImages(num_given, names, hashes, facts)


def _find_files(form: JobForm | ViewsForm, services: Services) -> Iterator[tuple[str, ImageFile]]:
    """The image files of a request, each with its field: those that are held out come last."""
    if form.images_url is not None:
        # Whether it is allowed at all is told before anything is decoded.
        services.buckets.check(form.images_url)
    room = ImageRoom.of(services.settings)
    yield from _uploads("images", form.images, room)
    if form.images_url is not None:
        for file in services.buckets.open(form.images_url, room):
            yield "images_url", file
    if isinstance(form, JobForm):
        yield from _uploads(HELD_OUT, form.held_out_images, room)


def _uploads(
    field: str, uploads: list[UploadFile], room: ImageRoom
) -> Iterator[tuple[str, ImageFile]]:
    for number, upload in enumerate(uploads):
        for file in open_images(f"{field}[{number}]", upload.file, room):
            yield field, file


def discard_files(services: Services, job_id: str) -> None:
    """Removes what was stored for no job, or none any more; if it cannot be, it will be swept."""
    with contextlib.suppress(StorageUnavailable):
        services.storage.remove(job_id)
