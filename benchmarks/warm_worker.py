"""How much sooner a job's first progress comes when the models are warm.

    python -m benchmarks.warm_worker [--out DIR]

Starts the real service, submits one job as soon as the API answers (the worker is still loading its
models), then a second one after the first has ended. Prints for both the time from the submission
to the first progress beyond 0%, and their ratio.
"""

import argparse
import tempfile
import threading
import time
from pathlib import Path

from app.settings import Settings
from goodmany import Client, JobStatus
from workers.cli.samples import load_sample
from workers.serve.api_server import ApiServer
from workers.serve.service import EmbeddedService


def first_progress_s(client: Client, image: Path, object_name: str) -> tuple[float, float]:
    """(seconds to the first progress, seconds to the end) of one job."""
    start = time.monotonic()
    first_s = 0.0

    def note(job: JobStatus) -> None:
        nonlocal first_s
        if job.percent > 0 and not first_s:
            first_s = time.monotonic() - start

    client.submit(image, object_name, num_images=2, image_size=64, effort="draft").wait(note)
    return first_s, time.monotonic() - start


def measure(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    object_name, (picture, *_) = load_sample("brick")
    image = folder / "brick.png"
    picture.crop((0, 0, 96, 96)).save(image)
    with EmbeddedService(Settings(data_dir=folder / "data", log_level="WARNING")) as service:
        server = ApiServer(service.settings, "127.0.0.1", 0, service.fault)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [server.socket]})
        thread.start()
        try:
            with Client(server.address) as client:
                cold = first_progress_s(client, image, object_name)
                warm = first_progress_s(client, image, object_name)
        finally:
            server.should_exit = True
            thread.join()
    print(f"first job (models cold):  {cold[0]:7.2f} s to first progress, {cold[1]:.1f} s in all")
    print(f"second job (models warm): {warm[0]:7.2f} s to first progress, {warm[1]:.1f} s in all")
    print(f"ratio cold / warm:        {cold[0] / warm[0]:7.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="keep the data here; else a temporary folder")
    chosen = parser.parse_args().out
    if chosen:
        measure(chosen)
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder))


if __name__ == "__main__":
    main()
