"""`goodmany generate`: new images without a server."""

import io
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO
from zipfile import ZipFile

import typer
from rich.console import Console

from app.files.decoders import Decoders
from app.images.output_size import output_size
from app.jobs.admission.request_limits import check_held_out
from app.jobs.inputs import InputImage
from app.jobs.model import Effort, Preset
from app.settings import Settings
from models.job.request import GenerationRequest, GenerationResult
from workers.cli.failures import UsageError
from workers.cli.inputs import tell_figures, tell_inputs
from workers.cli.options import (
    BitDepth,
    EffortOption,
    HeldOutImages,
    Images,
    ImageSize,
    Invariances,
    NumImages,
    ObjectName,
    Out,
    PresetOption,
    Prompt,
    Seed,
    Sense,
    Strict,
    build_request,
)
from workers.cli.output_file import open_output


def generate(
    *,
    images: Images,
    object_name: ObjectName,
    out: Out,
    sense: Sense = None,
    num_images: NumImages = 16,
    seed: Seed = 0,
    image_size: ImageSize = None,
    effort: EffortOption = Effort.standard,
    preset: PresetOption = Preset.goodmany,
    prompt: Prompt = None,
    invariances: Invariances = None,
    bit_depth: BitDepth = None,
    strict: Strict = False,
    held_out: HeldOutImages = None,
    report: Annotated[
        Path | None, typer.Option(help="Also write this page with all that the set is judged by.")
    ] = None,
) -> None:
    """Makes new images without a server: the same pipeline, the same ZIP."""
    settings = Settings()
    job_request = build_request(
        object_name=object_name,
        sense=sense,
        num_images=num_images,
        seed=seed,
        image_size=image_size,
        effort=effort,
        preset=preset,
        prompt=prompt,
        invariances=invariances,
        strict=strict,
        bit_depth=bit_depth,
    )
    console = Console()
    with ExitStack() as outputs:
        file = outputs.enter_context(open_output(out))
        page = None if report is None else outputs.enter_context(open_output(report))
        if page is not None and not file.seekable():
            raise UsageError("--report reads the ZIP again: --out must be an ordinary file.")
        from workers.generation.read_inputs import open_files, read_inputs  # noqa: PLC0415

        with Decoders(settings) as decoders, ExitStack() as opened:
            files = opened.enter_context(open_files(images, settings))
            apart_files = opened.enter_context(open_files(held_out or [], settings))
            read = read_inputs([*files, *apart_files], bit_depth, decoders)
        inputs, apart = read.split(len(files))
        check_held_out(apart.understood, len(files))
        told = [image.model_dump() for image in inputs.understood]
        tell_inputs(console, images, told, output_size(inputs.images[0].size, image_size))

        from goodmany.progress_bar import ProgressBar  # noqa: PLC0415
        from models.job.pipeline import load_pipeline  # noqa: PLC0415
        from workers.archive.small_pictures import SmallPictures  # noqa: PLC0415
        from workers.archive.write import write_archive  # noqa: PLC0415
        from workers.generation.method_request import to_generation_request  # noqa: PLC0415

        request = to_generation_request(job_request, inputs.images)
        with ProgressBar(console) as bar:
            bar("models", 0, {})
            pipeline = load_pipeline(
                encoder=settings.encoder, vqgan=settings.vqgan, device=settings.device
            )
            result = pipeline.generate(request, bar)
            bar("archive", 99, {})
            small = SmallPictures()
            judge = None
            if apart.images:
                from workers.generation.set_judge import SetJudge  # noqa: PLC0415

                judge = SetJudge(request.images, apart.named(file_name), pipeline.models.features)

            write_archive(
                file,
                result,
                request,
                job_id="none",
                created_at=datetime.now(UTC),
                inputs=[file_name(one) for one in inputs.understood],
                bit_depth=bit_depth,
                on_image=small.keep,
                judge=judge,
            )
            if page is not None:
                write_page(page, file, request, small.of(result))
            bar("done", 100, {"num_images": len(result.images)})
    console.print(f"{len(result.images)} of {num_images} images: {out}", highlight=False)
    if judge is not None:
        tell_figures(console, judge.figures())


def file_name(image: InputImage) -> InputImage:
    """By its name alone: where it lies here is nobody's business whom the set goes to."""
    return image.model_copy(update={"field": Path(image.field).name})


def write_page(
    page: BinaryIO, file: BinaryIO, request: GenerationRequest, result: GenerationResult
) -> None:
    """The report of a set whose ZIP has been written to `file`."""
    from app.http.report.write import write_report  # noqa: PLC0415
    from workers.archive.evidence import write_evidence  # noqa: PLC0415

    evidence = io.BytesIO()
    write_evidence(evidence, request.images, result)
    with ZipFile(file) as archive, ZipFile(evidence) as pictures:
        page.writelines(part.encode() for part in write_report(archive, pictures))
