"""`goodmany submit`: new images from a running service."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.jobs.model import Effort, Priority
from workers.cli.inputs import tell_inputs
from workers.cli.options import (
    BitDepth,
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

PriorityOption = Annotated[
    Priority, typer.Option(help="A batch job waits until no interactive one does.")
]


def submit(
    *,
    images: Images,
    object_name: ObjectName,
    out: Out,
    num_images: NumImages = 16,
    seed: Seed = 0,
    image_size: ImageSize = None,
    effort: EffortOption = Effort.standard,
    prompt: Prompt = None,
    invariances: Invariances = None,
    bit_depth: BitDepth = None,
    strict: Strict = False,
    priority: PriorityOption = Priority.interactive,
    server: Annotated[str, typer.Option(help="Address of the service.")] = "http://127.0.0.1:8000",
    api_key: Annotated[
        str | None, typer.Option(help="If the service asks for one.", envvar="GOODMANY_API_KEY")
    ] = None,
) -> None:
    """Has a running service make new images, and downloads the ZIP."""
    from workers.cli.client import Client  # noqa: PLC0415
    from workers.cli.progress_bar import ProgressBar  # noqa: PLC0415

    job_request = build_request(
        object_name=object_name,
        num_images=num_images,
        seed=seed,
        image_size=image_size,
        effort=effort,
        prompt=prompt,
        invariances=invariances,
        strict=strict,
        bit_depth=bit_depth,
        priority=priority,
    )
    console = Console()
    with Client(server, api_key) as client, open_output(out) as file:
        with ProgressBar(console) as bar:
            job = client.submit(
                [Path(name) for name in images], job_request.model_dump(mode="json")
            )
            # A service of an older version does not tell.
            size = (job.get("width"), job.get("height"))
            tell_inputs(console, images, job.get("inputs", []), size)
            for job in client.follow(job):  # noqa: B020, the same job, later
                bar(job["stage"] or job["state"], job["percent"], job)
        client.fetch(job["links"]["archive"], file)
    console.print(f"{job['num_images']} of {num_images} images: {out}", highlight=False)
