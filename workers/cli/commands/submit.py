"""`goodmany submit`: new images from a running service."""

from pathlib import Path
from typing import Annotated, cast

import typer
from rich.console import Console

from app.jobs.model import Effort, JobRequest, Preset, Priority
from goodmany import Client, Job, JobOptions
from workers.cli.failures import UsageError
from workers.cli.inputs import tell_inputs
from workers.cli.options import (
    BitDepth,
    EffortOption,
    HeldOutImages,
    ImagesIfAny,
    ImageSize,
    ImagesUrl,
    Invariances,
    NumImages,
    ObjectName,
    PresetOption,
    Prompt,
    Seed,
    Sense,
    Strict,
    build_request,
)
from workers.cli.output_file import open_output
from workers.cli.server_options import (
    DEFAULT_SERVER,
    ApiKey,
    Server,
    connected,
    follow,
    print_json,
)

PriorityOption = Annotated[
    Priority, typer.Option(help="A batch job waits until no interactive one does.")
]
OutWhenDone = Annotated[
    Path | None, typer.Option(help="Wait for the job and write its ZIP here; else only submit it.")
]
AsJsonLines = Annotated[
    bool,
    typer.Option("--json", help="Prints the job object instead; with --out, once more at the end."),
]


def _submit(
    client: Client,
    images: list[str],
    held_out: list[str],
    request: JobRequest,
    console: Console,
    *,
    as_json: bool,
) -> Job:
    """The job, of which the id is told at once."""
    options = cast(JobOptions, request.model_dump(mode="json", exclude={"object_name"}))
    job = client.submit(images, request.object_name, held_out=held_out or None, **options)
    if as_json:
        print_json(job.status.raw)
    else:
        print(job.id, flush=True)
    size = (job.status.width, job.status.height)
    tell_inputs(console, images, job.status.inputs, size)
    return job


def submit(
    *,
    images: ImagesIfAny = None,
    object_name: ObjectName,
    sense: Sense = None,
    images_url: ImagesUrl = None,
    out: OutWhenDone = None,
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
    priority: PriorityOption = Priority.interactive,
    server: Server = DEFAULT_SERVER,
    api_key: ApiKey = None,
    as_json: AsJsonLines = False,
) -> None:
    """Has a running service make new images: prints the job's id, with --out waits for the ZIP."""
    if not images and not images_url:
        raise UsageError("Name at least one image, or an --images-url.")
    job_request = build_request(
        images_url=images_url,
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
        priority=priority,
    )
    # What is piped is the id; all else is for the person.
    console = Console(stderr=True)
    with connected(server, api_key) as client:
        if out is None:
            _submit(client, images or [], held_out or [], job_request, console, as_json=as_json)
            return
        with open_output(out) as file:
            job = _submit(
                client, images or [], held_out or [], job_request, console, as_json=as_json
            )
            follow(job, server, console)
            job.download("archive", file)
    console.print(f"{job.status.num_images} of {num_images} images: {out}", highlight=False)
    if as_json:
        print_json(job.status.raw)
