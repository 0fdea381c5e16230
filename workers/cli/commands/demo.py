"""`make demo`: the whole service on real sample images, over real HTTP, from nothing to a ZIP."""

import signal
import sys
import threading
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.observability.logs import start_logging
from app.settings import Settings
from goodmany import Client
from goodmany.progress_bar import ProgressBar
from workers.cli.samples import save_sample
from workers.serve.api_server import ApiServer
from workers.serve.service import EmbeddedService

MODELS_WITHIN_S = 300.0


def demo(
    sample: Annotated[str, typer.Option(help="brick, coin or textile.")] = "brick",
    folder: Annotated[Path, typer.Option(help="Where everything is written.")] = Path("demo"),
) -> None:
    """Starts the service, has it work on sample images, and stops it."""
    settings = Settings(log_level="WARNING")
    start_logging(settings)
    run_demo(settings, sample, folder, Console())


def run_demo(settings: Settings, sample: str, folder: Path, console: Console) -> None:
    """Starts the service, submits a sample, writes `goodmany.zip` and `preview.png`, stops all.

    Args:
        settings: of the service; its data go below `folder`.
        sample: a name of `workers.cli.samples.SAMPLES`.
        folder: where everything is written.
        console: for the progress bar and the summary.

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
    with EmbeddedService(settings) as service:
        server = ApiServer(service.settings, "127.0.0.1", 0, service.fault)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [server.socket]})
        thread.start()
        try:
            _wait_ready(service)
            with Client(server.address) as client:
                _run_job(client, object_name, paths, folder, console)
        finally:
            server.should_exit = True
            thread.join()


def _wait_ready(service: EmbeddedService) -> None:
    give_up = time.monotonic() + MODELS_WITHIN_S
    while not service.is_ready():
        fault = service.fault()
        if fault is not None or time.monotonic() > give_up:
            raise RuntimeError(fault or f"No models after {MODELS_WITHIN_S:.0f} s")
        time.sleep(0.2)


def _run_job(
    client: Client, object_name: str, paths: list[Path], folder: Path, console: Console
) -> None:
    start = time.monotonic()
    job = client.submit(paths, object_name, num_images=16, image_size=256, seed=0)
    with ProgressBar(console) as bar:
        status = job.wait(bar.tell)
    archive, preview = folder / "goodmany.zip", folder / "preview.png"
    job.download("archive", archive)
    job.download("preview", preview)
    console.print(
        f"{status.num_images} of {status.num_images_requested} images in "
        f"{time.monotonic() - start:.0f} s\n"
        f"archive: {archive}\npreview: {preview}",
        highlight=False,
    )
