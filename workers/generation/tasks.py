"""What RQ calls for each job, in the warm child: inputs from the storage, the method, the archive.

The function is named by the API as a string (`app.jobs.store.TASK`); its argument is the job's id.
"""

import contextlib
import logging
import multiprocessing
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
import redis

from app.base.redis_connection import REDIS_AWAY, connect
from app.base.transactions import execute_once
from app.files.decoders import Decoders
from app.files.image_file import ImageFile
from app.files.storage import Storage, outputs_of
from app.jobs.evidence import EVIDENCE_FILE
from app.jobs.inputs import InputImage
from app.jobs.metrics import IMAGES_MADE, IMAGES_REJECTED, STAGE_DURATIONS
from app.jobs.model import JobRequest, JobState
from app.jobs.record import read_creation, read_inputs_told, read_number, read_request
from app.jobs.store import JobStore
from app.observability.live_workers import LiveWorkers
from app.problems import InputLost, OutOfMemory, StorageFull, StorageUnavailable, TooFewImages
from app.settings import Settings
from models.job.request import GenerationRequest, GenerationResult, ProgressCallback
from models.runtime.errors import DeviceMemoryError, StrictError
from models.runtime.loading import nothing_collected
from workers.archive.evidence import write_evidence
from workers.archive.preview import contact_sheet, variance_picture
from workers.archive.small_pictures import SmallPictures
from workers.archive.write import write_archive
from workers.generation.held_out import HeldOut
from workers.generation.method_request import to_generation_request
from workers.generation.read_inputs import read_inputs
from workers.runtime.retry_outage import retry_outage
from workers.runtime.spans import StageSpans

if TYPE_CHECKING:
    from models.evaluation.detector.networks import PatchNetwork
    from models.job.models import Models
    from workers.generation.set_judge import SetJudge

log = logging.getLogger("goodmany.worker")

TELL_EVERY_S = 0.25
# A Redis that is away is asked less often: each try takes some tenths of a second from the work.
TELL_AWAY_EVERY_S = 3.0
ARCHIVE_PERCENT = 99.0


class ImageMaker(Protocol):
    """What a task asks of the method; `models.job.pipeline.Pipeline` is one, and needs torch."""

    def generate(
        self, request: GenerationRequest, on_progress: ProgressCallback
    ) -> GenerationResult:
        """Makes up to `request.num_images` new good images, and tells how far it is.

        Raises:
            DeviceMemoryError: the device's memory does not suffice.
            StrictError: no image passed the guard, or fewer than a strict request wants.
        """


@dataclass(frozen=True)
class WarmModels:
    """What is loaded once for all jobs of this process."""

    settings: Settings
    pipeline: ImageMaker
    store: JobStore
    storage: Storage

    @cached_property
    def network(self) -> "PatchNetwork":
        """In which a set is compared with images that are held out."""
        from models.features.patches import load_patch_features  # noqa: PLC0415, torch

        return load_patch_features()

    @cached_property
    def decoders(self) -> Decoders:
        """Where the inputs are decoded, one by one."""
        return Decoders(self.settings)


_warm: list[WarmModels] = []


def load_models(settings: Settings) -> Callable[[], None]:
    """Loads the pipeline into this process; called once, before the first job.

    Returns:
        What loads the rest that every job begins with, to be called before the first job too; it
        raises RuntimeError as this does.

    Raises:
        RuntimeError: a model is missing or damaged; the message names it.
    """
    # The task itself needs no torch; whoever brings another pipeline need not wait for it.
    with nothing_collected():
        from models.job.pipeline import load_pipeline  # noqa: PLC0415
        from workers.runtime.device_memory import report_device_memory  # noqa: PLC0415

        pipeline = load_pipeline(
            encoder=settings.encoder, vqgan=settings.vqgan, device=settings.device
        )
    connection = connect(settings.redis_url)
    store = JobStore(connection, settings)
    device = pipeline.models.device
    if device.type == "cuda":
        threading.Thread(
            target=report_device_memory,
            args=(LiveWorkers(connection), multiprocessing.current_process().name, device),
            daemon=True,
        ).start()
    _warm[:] = [WarmModels(settings, pipeline, store, Storage(settings.storage_address))]
    return partial(_load_rest, pipeline.models)


def _load_rest(models: "Models") -> None:
    from models.catalog.chosen import tell_in_use  # noqa: PLC0415, as above

    models.load_what_jobs_begin_with()
    log.info("%s", tell_in_use(models.catalog))


class AttemptOverError(Exception):
    """The job was canceled or taken over by another attempt; the work on it ends here."""


def run_job(job_id: str) -> None:
    """Performs one job from its stored inputs to its stored archive.

    It may run twice for one job, after a crash or at the same time on two machines: each attempt
    writes into its own folder, and the record hears only the attempt that took the job last. What
    the others leave is removed by whoever watches this process (`clean_outputs.py`).
    """
    (warm,) = _warm
    attempt = secrets.token_hex(8)
    if not warm.store.start(job_id, attempt):
        log.info("job %s had ended before it was started", job_id)
        return
    try:
        _perform(warm, job_id, attempt)
    except AttemptOverError:
        log.info("job %s is over for this attempt", job_id)
    # Files that were removed, a timeout in the last moment: only the holder may fail the job.
    except Exception:
        standing = retry_outage(
            lambda: warm.store.standing(job_id), warm.settings.outage_patience_s
        )
        if standing == (JobState.running, attempt):
            raise
        log.info("job %s is over for this attempt", job_id, exc_info=True)


def _perform(warm: WarmModels, job_id: str, attempt: str) -> None:
    record = warm.store.get_record(job_id)
    created_at = read_creation(job_id, record)
    patience_s = warm.settings.outage_patience_s
    progress = Progress(warm.store, job_id, attempt)
    with contextlib.closing(progress.spans):
        asked = read_request(record)
        try:
            request, inputs, held_out = retry_outage(
                lambda: _read_request(warm, progress, record, asked), patience_s
            )
        except StorageUnavailable as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
            warm.storage.read_mark()  # raises when it is the storage that is gone
            raise InputLost("An image of the job is no longer in the storage.") from error
        try:
            result = warm.pipeline.generate(request, progress)
        except StrictError as error:
            raise TooFewImages(f"{error}.") from error
        except DeviceMemoryError as error:
            raise OutOfMemory(
                "The device's memory does not suffice for images of "
                f"{request.image_size or max(request.images[0].size)} px."
            ) from error
        num_images: dict[str, object] = {"num_images": len(result.images)}

        def store_results() -> None:
            progress("archive", ARCHIVE_PERCENT, num_images, at_once=True)
            _leave_room_to_redis(warm.settings)
            _store_results(
                warm,
                progress,
                request,
                result,
                created_at=created_at,
                inputs=inputs,
                held_out=held_out,
                bit_depth=asked.bit_depth,
            )

        archive_start = time.monotonic()
        retry_outage(store_results, patience_s)
        archive_s = time.monotonic() - archive_start
    fields = {"num_images": str(len(result.images)), "prompt": result.prompt}
    if not retry_outage(lambda: warm.store.succeed(job_id, attempt, fields), patience_s):
        raise AttemptOverError
    log.info("job %s succeeded with %d images", job_id, len(result.images))
    _count(warm.store.connection, result, archive_s)


def _read_request(
    warm: WarmModels, progress: "Progress", record: dict[str, str], asked: JobRequest
) -> tuple[GenerationRequest, list[InputImage], HeldOut]:
    """The request with its images from the storage, what was understood of them, the held out."""
    # When the files are gone because the job is over, this says so.
    progress("prompt", 0.0, {}, at_once=True)
    told = [image.field for image in read_inputs_told(record)]
    if num_inputs := int(read_number(record.get("num_inputs"))):
        apart = [image.field for image in read_inputs_told(record, "held_out")]
        files = [f"inputs/{number:03d}" for number in range(num_inputs + len(apart))]
        told += apart
    else:
        files = warm.storage.names(progress.job_id, "inputs")
        num_inputs = len(files)
    names = told if len(told) == len(files) else [f"images[{n}]" for n in range(len(files))]
    named = [
        ImageFile(name, partial(warm.storage.read, progress.job_id, file))
        for name, file in zip(names, files, strict=True)
    ]
    read = read_inputs(named, asked.bit_depth, warm.decoders)
    given, held_out = read.split(num_inputs)
    return to_generation_request(asked, given.images), given.understood, held_out


def _judge_of(warm: WarmModels, request: GenerationRequest, held_out: HeldOut) -> "SetJudge | None":
    if not held_out.images:
        return None
    from workers.generation.set_judge import SetJudge  # noqa: PLC0415, torch

    return SetJudge(request.images, held_out, warm.network)


def _count(connection: redis.Redis, result: GenerationResult, archive_s: float) -> None:
    """Adds a job that has succeeded to the metrics; it is no less done when Redis is away."""
    timings_s = {**cast(dict[str, float], result.report["timings_s"]), "archive": archive_s}
    rejections = cast(dict[str, int], result.report["rejections"])

    def fill(pipeline: redis.client.Pipeline) -> None:
        for stage, seconds in timings_s.items():
            STAGE_DURATIONS.observe(pipeline, stage, seconds=seconds)
        for reason, number in rejections.items():
            IMAGES_REJECTED.count(pipeline, reason, by=number)
        IMAGES_MADE.count(pipeline, by=len(result.images))

    with contextlib.suppress(*REDIS_AWAY):
        execute_once(connection, fill)


def _leave_room_to_redis(settings: Settings) -> None:
    """Nothing, unless the files of jobs would take the last room from the Redis on their disk.

    Raises:
        StorageFull: they would.
    """
    if settings.storage_url or not settings.data_dir.is_dir():
        return
    if shutil.disk_usage(settings.data_dir).free < settings.disk_reserve_bytes // 2:
        raise StorageFull("The storage is full.")


def _store_results(
    warm: WarmModels,
    progress: "Progress",
    request: GenerationRequest,
    result: GenerationResult,
    *,
    created_at: datetime,
    inputs: list[InputImage],
    held_out: HeldOut,
    bit_depth: int | None,
) -> None:
    """Writes the files; each gets its name only when it is whole."""
    storage = warm.storage
    job_id, folder = progress.job_id, outputs_of(progress.attempt)
    small = SmallPictures()

    def keep(pixels: np.ndarray) -> None:
        small.keep(pixels)
        progress("archive", ARCHIVE_PERCENT, {})

    with storage.replace(job_id, f"{folder}/archive.zip") as file:
        write_archive(
            file,
            result,
            request,
            job_id=job_id,
            created_at=created_at,
            inputs=inputs,
            bit_depth=bit_depth,
            on_image=keep,
            judge=_judge_of(warm, request, held_out),
        )
    shown = small.of(result)
    with storage.replace(job_id, f"{folder}/{EVIDENCE_FILE}") as file:
        write_evidence(
            file,
            request.images,
            shown,
            on_picture=lambda: progress("archive", ARCHIVE_PERCENT, {}),
        )
    with storage.replace(job_id, f"{folder}/preview.png") as file:
        contact_sheet(list(request.images), shown).save(file, "PNG")
    if result.variance is not None:
        with storage.replace(job_id, f"{folder}/variance.png") as file:
            variance_picture(list(request.images), result).save(file, "PNG")


class Progress:
    """The pipeline's callback: notes progress on the job's record and ends a canceled job.

    Redis is asked at most every `TELL_EVERY_S`; when it is away, the work goes on.
    """

    def __init__(self, store: JobStore, job_id: str, attempt: str):
        self.store, self.job_id, self.attempt = store, job_id, attempt
        self.unsent: dict[str, str] = {}
        self.next_tell = 0.0
        self.spans = StageSpans()

    def __call__(
        self, stage: str, percent: float, facts: dict[str, object], *, at_once: bool = False
    ) -> None:
        """Takes the pipeline's news.

        Raises:
            AttemptOverError: the job was canceled, or is another attempt's by now.
        """
        self.spans.enter(stage)
        self.unsent |= {"stage": stage, "percent": f"{percent:.1f}"}
        for name in ("prompt", "num_images"):
            if name in facts:
                self.unsent[name] = str(facts[name])
        if not at_once and time.monotonic() < self.next_tell:
            return
        self.next_tell = time.monotonic() + TELL_EVERY_S
        try:
            goes_on = self.store.progress(self.job_id, self.attempt, self.unsent)
        except REDIS_AWAY as error:
            log.warning("job %s goes on without Redis: %s", self.job_id, error)
            self.next_tell = time.monotonic() + TELL_AWAY_EVERY_S
            return
        self.unsent = {}
        if not goes_on:
            raise AttemptOverError
