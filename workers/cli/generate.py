"""`goodmany generate`: new images without a server."""

from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from rich.console import Console

from app.files.read_image import ImageLimits, read_image
from app.jobs.model import Effort
from app.problems import UnusableImage
from app.settings import Settings
from workers.cli.input_images import find_images
from workers.cli.options import (
    EffortOption,
    Images,
    ImageSize,
    Invariances,
    NumImages,
    ObjectName,
    Out,
    Prompt,
    Seed,
    Strict,
    build_request,
)
from workers.cli.output_file import open_output


def generate(
    *,
    images: Images,
    object_name: ObjectName,
    out: Out,
    num_images: NumImages = 16,
    seed: Seed = 0,
    image_size: ImageSize = 256,
    effort: EffortOption = Effort.standard,
    prompt: Prompt = None,
    invariances: Invariances = None,
    strict: Strict = False,
) -> None:
    """Makes new images without a server: the same pipeline, the same ZIP."""
    settings = Settings()
    job_request = build_request(
        object_name=object_name,
        num_images=num_images,
        seed=seed,
        image_size=image_size,
        effort=effort,
        prompt=prompt,
        invariances=invariances,
        strict=strict,
    )
    pictures = _read_images(find_images(images), settings)
    with open_output(out) as file:
        from models.job.pipeline import load_pipeline  # noqa: PLC0415
        from workers.archive.write import write_archive  # noqa: PLC0415
        from workers.cli.progress_bar import ProgressBar  # noqa: PLC0415
        from workers.generation.method_request import to_generation_request  # noqa: PLC0415

        console = Console()
        request = to_generation_request(job_request, pictures)
        with ProgressBar(console) as bar:
            bar("models", 0, {})
            pipeline = load_pipeline(
                encoder=settings.encoder, vqgan=settings.vqgan, device=settings.device
            )
            result = pipeline.generate(request, bar)
            bar("archive", 99, {})
            write_archive(file, result, request, job_id="none", created_at=datetime.now(UTC))
            bar("done", 100, {"num_images": len(result.images)})
    console.print(f"{len(result.images)} of {num_images} images: {out}", highlight=False)


def _read_images(paths: list[Path], settings: Settings) -> list[Image.Image]:
    """The images.

    Raises:
        UnusableImage: the first that cannot be used, with its path.
    """
    limits = ImageLimits.from_settings(settings)
    pictures = []
    for path in paths:
        try:
            pictures.append(read_image(path.read_bytes(), limits))
        except UnusableImage as problem:
            raise problem.in_field(str(path)) from None
    return pictures
