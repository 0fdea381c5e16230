"""Whole jobs without the service: the pipeline and the archive."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime

from PIL import Image

from benchmarks.speed.floor import Floor
from benchmarks.speed.measuring import CLOCKS, Clock, measured
from models.job.pipeline import Pipeline
from models.job.request import GenerationRequest
from workers.archive.write import write_archive
from workers.cli.samples import load_sample

# Of a sample with fewer images, the others are crops of these shares of a side, one after another.
CROP_SHARES = (0.97, 0.94, 0.91)
CLOCK_OF_STAGES = CLOCKS["wall"]


@dataclass(frozen=True)
class JobSize:
    """What is asked of a job."""

    num_images: int
    side_px: int
    num_given: int
    effort: str
    sample: str

    def __str__(self) -> str:
        return f"{self.num_images} images of {self.side_px} px from {self.num_given}"


@dataclass(frozen=True)
class JobCost:
    """What it took.

    Attributes:
        seconds: of pipeline and archive, by the chosen clock.
        stages_s: stage -> seconds on the wall, the archive's too.
        num_made: images that it delivered, as many as were asked for or fewer.
        peak_bytes, device_peak_bytes: of the process, and of its tensors on the device.
        over_floor: `seconds` over bare decodes of as many images.
    """

    size: JobSize
    seconds: float
    stages_s: dict[str, float]
    num_made: int
    peak_bytes: int
    device_peak_bytes: int
    over_floor: float


def request_of(size: JobSize) -> GenerationRequest:
    """The job as the pipeline is asked for it."""
    object_name, images = load_sample(size.sample)
    return GenerationRequest(
        images=[_given(images, number, size.side_px) for number in range(size.num_given)],
        object_name=object_name,
        num_images=size.num_images,
        image_size=size.side_px,
        effort=size.effort,
    )


def _given(images: list[Image.Image], number: int, side_px: int) -> Image.Image:
    turn, index = divmod(number, len(images))
    image = images[index].convert("RGB")
    if turn:
        side = round(CROP_SHARES[(turn - 1) % len(CROP_SHARES)] * min(image.size))
        image = image.crop((0, 0, side, side))
    return image.resize((side_px, side_px), Image.Resampling.LANCZOS)


def measure_job(pipeline: Pipeline, size: JobSize, floor: Floor, *, clock: Clock) -> JobCost:
    """Runs the job once."""
    request = request_of(size)
    device = pipeline.models.device
    with measured(device, clock) as cost:
        result = pipeline.generate(request)
        with measured(device, CLOCK_OF_STAGES) as archive:
            write_archive(
                io.BytesIO(), result, request, job_id="none", created_at=datetime.now(UTC)
            )
    stages_s = dict(result.report["timings_s"])  # type: ignore[call-overload]
    return JobCost(
        size=size,
        seconds=cost.seconds,
        stages_s={**stages_s, "archive": archive.seconds},
        num_made=len(result.images),
        peak_bytes=cost.peak_bytes,
        device_peak_bytes=cost.device_peak_bytes,
        over_floor=cost.seconds / (floor.image_s * size.num_images),
    )
