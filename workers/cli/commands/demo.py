"""`make demo`: the whole service on real sample images, over real HTTP, from nothing to a ZIP."""

import json
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from zipfile import ZipFile

import typer
from PIL import Image
from rich.console import Console

from app.observability.logs import start_logging
from app.settings import Settings
from goodmany import Client
from goodmany.progress_bar import ProgressBar
from workers.cli.inputs import tell_figures
from workers.cli.samples import load_apart, save_sample
from workers.serve.api_server import ApiServer
from workers.serve.service import VIEWER_COMMAND, WORKER_COMMAND, EmbeddedService

MODELS_WITHIN_S = 300.0
NUM_IMAGES = 16


def demo(
    sample: Annotated[str, typer.Option(help="coin, brick or textile.")] = "coin",
    folder: Annotated[Path, typer.Option(help="Where everything is written.")] = Path("demo"),
) -> None:
    """Starts the service, has it work on sample images, and stops it."""
    settings = Settings(log_level="WARNING")
    start_logging(settings)
    run_demo(settings, sample, folder, Console())


def run_demo(
    settings: Settings,
    sample: str,
    folder: Path,
    console: Console,
    commands: Sequence[Sequence[str]] = (WORKER_COMMAND, VIEWER_COMMAND),
) -> None:
    """Starts the service, submits a sample, writes its results, stops all, and judges them.

    Args:
        settings: of the service; its data go below `folder`.
        sample: a name of `workers.cli.samples.SAMPLES`.
        folder: where everything is written.
        console: for the progress bar and the summary.
        commands: start the worker and the viewer.

    Raises:
        RuntimeError: the service does not start or the job fails.
    """
    # As Ctrl+C does already: an exception, which stops everything on its way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    object_name, paths = save_sample(sample, folder / "inputs")
    settings = settings.model_copy(
        update={"data_dir": folder / "data", "storage_url": "", "require_api_key": "never"}
    )
    console.print(f"Starting the service; loading the models ({len(paths)} images of a {sample}).")
    with EmbeddedService(settings, *commands) as service:
        server = ApiServer(service.settings, "127.0.0.1", 0, service.fault)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [server.socket]})
        thread.start()
        try:
            _wait_ready(service)
            with Client(server.address) as client:
                _run_job(
                    client, object_name, paths, load_apart(sample), folder=folder, console=console
                )
        finally:
            server.should_exit = True
            thread.join()
    report = (folder / "report.html").absolute().as_uri()
    console.print(
        f"archive: {folder / 'goodmany.zip'}\npreview: {folder / 'preview.png'}\nreport:  {report}",
        highlight=False,
        soft_wrap=True,
    )


def _wait_ready(service: EmbeddedService) -> None:
    give_up = time.monotonic() + MODELS_WITHIN_S
    while not service.is_ready():
        fault = service.fault()
        if fault is not None or time.monotonic() > give_up:
            raise RuntimeError(fault or f"No models after {MODELS_WITHIN_S:.0f} s")
        time.sleep(0.2)


def _run_job(
    client: Client,
    object_name: str,
    paths: list[Path],
    held_out: list[Image.Image],
    *,
    folder: Path,
    console: Console,
) -> None:
    start = time.monotonic()
    job = client.submit(
        paths, object_name, held_out=held_out or None, num_images=NUM_IMAGES, seed=0
    )
    with ProgressBar(console) as bar:
        status = job.wait(bar.tell)
    job.download("archive", folder / "goodmany.zip")
    job.download("preview", folder / "preview.png")
    job.download("report", folder / "report.html")
    console.print(
        f"{status.num_images} of {status.num_images_requested} images in "
        f"{time.monotonic() - start:.0f} s",
        highlight=False,
    )
    with ZipFile(folder / "goodmany.zip") as archive:
        figures = json.loads(archive.read("manifest.json"))["held_out"]
    if figures is not None:
        tell_figures(console, figures)
        console.print("What the given images do not show, no image made from them shows.")
