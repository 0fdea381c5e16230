"""What the service adds to a job, and how many jobs it does in a minute."""

import io
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from app.base.redis_connection import connect
from app.observability.live_workers import LiveWorkers
from app.settings import Settings
from benchmarks.speed.jobs import JobSize, request_of
from goodmany import Client, Job
from models.job.pipeline import Pipeline
from workers.archive.write import write_archive
from workers.serve.api_server import ApiServer
from workers.serve.service import WORKER_COMMAND, EmbeddedService

SIZE = JobSize(num_images=2, side_px=128, num_given=1, effort="draft", sample="brick")
NUM_TURNS, NUM_JOBS = 3, 6
POLL_EVERY_S = 0.01


def measure_service(pipeline: Pipeline, folder: Path, device: str) -> str:
    """Starts the service and measures small jobs; says what it found."""
    image = folder / "given.png"
    request_of(SIZE).images[0].save(image)
    settings = Settings(data_dir=folder / "data", log_level="WARNING", device=device)
    started = time.monotonic()
    with serving(settings) as (service, client):
        live_s = time.monotonic() - started
        _wait_for_workers(service, 1)
        ready_s = time.monotonic() - started
        _run(client, image)  # what a first job alone pays
        _alone_s(pipeline)
        turns = [(*_run(client, image), _alone_s(pipeline)) for _ in range(NUM_TURNS)]
        first_s, whole_s, alone_s = (
            sorted(column)[NUM_TURNS // 2] for column in zip(*turns, strict=True)
        )
        one = _jobs_a_minute(client, image)
        with _second_worker(service):
            two = _jobs_a_minute(client, image)
    return (
        f"service: live after {live_s:.1f} s, ready after {ready_s:.1f} s; {SIZE}, effort "
        f"{SIZE.effort}, median of {NUM_TURNS}: first progress after {first_s:.2f} s, done after "
        f"{whole_s:.2f} s, the same without a service {alone_s:.2f} s; "
        f"{one:.1f} jobs a minute with one worker, {two:.1f} with two"
    )


@contextmanager
def serving(settings: Settings) -> Iterator[tuple[EmbeddedService, Client]]:
    """The whole service, and a client of it."""
    with EmbeddedService(settings) as service:
        server = ApiServer(service.settings, "127.0.0.1", 0, service.fault)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [server.socket]})
        thread.start()
        try:
            with Client(server.address) as client:
                while not server.started:
                    time.sleep(POLL_EVERY_S)
                yield service, client
        finally:
            server.should_exit = True
            thread.join()


def _run(client: Client, image: Path) -> tuple[float, float]:
    """(seconds to the first progress, seconds to the end) of one job."""
    start = time.monotonic()
    first_s = 0.0
    job = _submit(client, image)
    while not job.status.is_over:
        if job.refresh().percent > 0 and not first_s:
            first_s = time.monotonic() - start
        time.sleep(POLL_EVERY_S)
    return first_s, time.monotonic() - start


def _submit(client: Client, image: Path) -> Job:
    name = request_of(SIZE).object_name
    return client.submit(
        image, name, num_images=SIZE.num_images, image_size=SIZE.side_px, effort=SIZE.effort
    )


def _alone_s(pipeline: Pipeline) -> float:
    """Seconds of the same job in this process, with its archive."""
    request = request_of(SIZE)
    start = time.monotonic()
    result = pipeline.generate(request)
    write_archive(io.BytesIO(), result, request, job_id="none", created_at=datetime.now(UTC))
    return time.monotonic() - start


def _jobs_a_minute(client: Client, image: Path) -> float:
    start = time.monotonic()
    jobs = [_submit(client, image) for _ in range(NUM_JOBS)]
    for job in jobs:
        job.wait()
    return 60 * NUM_JOBS / (time.monotonic() - start)


@contextmanager
def _second_worker(service: EmbeddedService) -> Iterator[None]:
    values = service.settings.model_dump(mode="json")
    variables = {f"GOODMANY_{name.upper()}": str(value) for name, value in values.items()}
    process = subprocess.Popen(WORKER_COMMAND, env={**os.environ, **variables})
    try:
        _wait_for_workers(service, 2)
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_for_workers(service: EmbeddedService, number: int) -> None:
    with connect(service.redis.url) as connection:
        while LiveWorkers(connection).count() < number:
            time.sleep(POLL_EVERY_S)
