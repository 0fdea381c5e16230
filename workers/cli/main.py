"""`goodmany`: the command line. Torch is imported by the commands that need it, and only then."""

import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from app.files.decoders import Decoders
from app.files.spool import use_spool
from app.jobs.model import Effort, Invariance, JobRequest, Priority
from app.observability.logs import logs_are_json, start_logging
from app.observability.tracing import start_tracing
from app.problems import Problem
from app.settings import Settings
from models.evaluation.command import evaluate
from workers.cli.inputs import tell_inputs
from workers.cli.keys import key_commands
from workers.cli.storage import storage_commands
from workers.serve.service_redis import DataDir, open_redis

cli = typer.Typer(
    help="A few good images in, a good many out.", no_args_is_help=True, add_completion=False
)
SPOOL_FOLDER = "tmp"

console = Console()
errors = Console(stderr=True)

Images = Annotated[list[Path], typer.Argument(help="One or more good images.", exists=True)]
ObjectName = Annotated[str, typer.Option(help="What the images show, in plain words.")]
NumImages = Annotated[int, typer.Option(help="How many new images are wanted.")]
Seed = Annotated[int, typer.Option(help="Same request, same seed: the same images.")]
ImageSize = Annotated[int, typer.Option(help="Long side of the new images in pixels.")]
EffortOption = Annotated[Effort, typer.Option(help="Time against quality.")]
Prompt = Annotated[str | None, typer.Option(help="Replaces the prompt that would be chosen.")]
Invariances = Annotated[
    list[Invariance] | None,
    typer.Option(
        "--invariance", help="Overrules what is decided from the images; may be repeated."
    ),
]
BitDepth = Annotated[
    int | None,
    typer.Option(
        help="How many bits of a pixel count in files that have more than 8, such as 12. "
        "Default: decided from all images together."
    ),
]
Strict = Annotated[bool, typer.Option(help="Fail when fewer images than wanted pass the guard.")]
PriorityOption = Annotated[
    Priority, typer.Option(help="A batch job waits until no interactive one does.")
]
Out = Annotated[Path, typer.Option(help="The ZIP to write.")]
Host = Annotated[str, typer.Option(help="Address to listen at.")]
Port = Annotated[int, typer.Option(help="Port to listen at; 0 for any free one.")]


def main() -> None:
    """Runs the command; a known failure is one sentence and exit code 1."""
    # Threads that wait for work must not spin: on a machine that does anything else beside,
    # spinning costs several times the time. Read by OpenMP when torch is first imported, in
    # children too.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        cli()
    except (RuntimeError, ValueError, Problem) as error:
        if logs_are_json():
            logging.getLogger("goodmany").critical("%s", error)
        else:
            errors.print(f"goodmany: {error}", style="red", highlight=False, markup=False)
        raise SystemExit(1) from error


@cli.command()
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Where jobs and files are kept; else GOODMANY_DATA_DIR, else data."),
    ] = None,
) -> None:
    """Runs Redis, one worker and the API on this machine, until it is stopped."""
    from workers.serve import service  # noqa: PLC0415, the API image has no Redis

    settings = Settings() if data_dir is None else Settings(data_dir=data_dir)
    start_logging(settings)
    use_spool(settings.data_dir / SPOOL_FOLDER)
    raise typer.Exit(service.serve(settings, host, port))


@cli.command()
def api(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Runs the API alone; Redis and the storage are named by the settings."""
    import uvicorn  # noqa: PLC0415

    from app.http.protocol import HttpProtocol  # noqa: PLC0415
    from app.main import create_app  # noqa: PLC0415

    settings = Settings()
    start_logging(settings)
    use_spool(settings.data_dir / SPOOL_FOLDER)
    start_tracing("goodmany-api")
    uvicorn.run(
        create_app(settings, host),
        host=host,
        port=port,
        http=HttpProtocol,
        access_log=False,
        log_config=None,
    )


@cli.command()
def worker(
    queue: Annotated[
        list[Priority] | None,
        typer.Option(help="Take from this queue alone; may be repeated. Default: from both."),
    ] = None,
) -> None:
    """Runs one worker, until it is stopped; a running job is finished first."""
    from workers.generation.worker import WarmWorker  # noqa: PLC0415

    settings = Settings()
    start_logging(settings)
    use_spool(settings.data_dir / SPOOL_FOLDER)
    warm_worker = WarmWorker(settings, queue_names=queue or list(Priority))
    warm_worker.work(logging_level=settings.log_level)
    if warm_worker.load_failure is not None:
        raise RuntimeError(warm_worker.load_failure)
    if not warm_worker.is_told_to_stop:
        raise RuntimeError("The worker has ended by a fault; its log says which.")


@cli.command()
def courier() -> None:
    """Delivers webhooks and answers the prompt dry run, until it is stopped; needs no torch."""
    from workers.courier.processes import Courier  # noqa: PLC0415

    settings = Settings()
    start_logging(settings)
    Courier(settings).run()


@cli.command()
def webhook_secret(
    key: Annotated[
        str, typer.Option(help="Id of the API key that the jobs come with; none without keys.")
    ] = "",
    data_dir: DataDir = None,
) -> None:
    """Prints the secret by which a receiver verifies the webhooks of a key's jobs."""
    from app.access.api_keys import ApiKeys  # noqa: PLC0415
    from workers.courier.webhook_secret import webhook_secret as read  # noqa: PLC0415

    with open_redis(data_dir) as connection:
        if key and key not in {known.id for known in ApiKeys(connection).all()}:
            raise ValueError(f"There is no key {key}.")
        typer.echo(read(Settings(), connection, key))


@cli.command()
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
    bit_depth: BitDepth = None,
    strict: Strict = False,
) -> None:
    """Makes new images without a server: the same pipeline, the same ZIP."""
    settings = Settings()
    job_request = _job_request(
        object_name=object_name,
        num_images=num_images,
        seed=seed,
        image_size=image_size,
        effort=effort,
        prompt=prompt,
        invariances=invariances,
        strict=strict,
        bit_depth=bit_depth,
    )

    from workers.generation.read_inputs import read_inputs  # noqa: PLC0415

    names = [str(path) for path in images]
    with Decoders(settings) as decoders:
        inputs = read_inputs([path.read_bytes for path in images], names, bit_depth, decoders)
    tell_inputs(console, names, [image.model_dump() for image in inputs.understood])

    from models.job.pipeline import load_pipeline  # noqa: PLC0415
    from workers.archive.write import write_archive  # noqa: PLC0415
    from workers.cli.progress_bar import ProgressBar  # noqa: PLC0415
    from workers.generation.method_request import to_generation_request  # noqa: PLC0415

    request = to_generation_request(job_request, inputs.images)
    with ProgressBar(console) as bar:
        bar("models", 0, {})
        pipeline = load_pipeline(
            encoder=settings.encoder, vqgan=settings.vqgan, device=settings.device
        )
        result = pipeline.generate(request, bar)
        bar("archive", 99, {})
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("wb") as file:
            write_archive(
                file,
                result,
                request,
                job_id="none",
                created_at=datetime.now(UTC),
                inputs=inputs.understood,
                bit_depth=bit_depth,
            )
        bar("done", 100, {"num_images": len(result.images)})
    console.print(f"{len(result.images)} of {num_images} images: {out}", highlight=False)


@cli.command()
def submit(
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

    job_request = _job_request(
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
    with Client(server, api_key) as client, ProgressBar(console) as bar:
        job = client.submit(images, job_request.model_dump(mode="json"))
        # A service of an older version does not tell.
        tell_inputs(console, list(map(str, images)), job.get("inputs", []))
        for job in client.follow(job):  # noqa: B020, the same job, later
            bar(job["stage"] or job["state"], job["percent"], job)
        client.download(job["links"]["archive"], out)
    console.print(f"{job['num_images']} of {num_images} images: {out}", highlight=False)


@cli.command()
def demo(
    sample: Annotated[str, typer.Option(help="brick, coin or textile.")] = "brick",
    folder: Annotated[Path, typer.Option(help="Where everything is written.")] = Path("demo"),
) -> None:
    """Starts the service, has it work on sample images, and stops it."""
    from workers.cli.demo import run_demo  # noqa: PLC0415

    settings = Settings(log_level="WARNING")
    start_logging(settings)
    run_demo(settings, sample, folder, console)


def _job_request(**fields: object) -> JobRequest:
    """The checked fields.

    Raises:
        ValueError: a field is not valid; the message says which and why.
    """
    try:
        return JobRequest.model_validate(fields)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise ValueError("; ".join(faults)) from None


cli.command()(evaluate)
cli.add_typer(key_commands, name="keys")
cli.add_typer(storage_commands, name="storage")
