"""How the API answers under load while a worker is busy, beside a route that does nothing.

    python -m benchmarks.load [--seconds 60] [--pollers 200] [--submitters 20] [--followers 50]

Starts the real service (Redis, a worker with the real models and one long job, the API in a process
of its own) and a bare Starlette route, served the same way. 200 clients poll once a second, 20
submit once a second, 5 list; 50 more follow a job's events all the time, and 50 wait for it by
long poll. Service and bare route take turns of 5 s under the same clients, so that whatever else
the machine does meets both. Prints a Markdown table; any answer that is not the right one is an
error and the exit code 1.
"""

import argparse
import asyncio
import contextlib
import io
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
from PIL import Image

from app.settings import Settings
from benchmarks.load_clients import Findings, Load, follow, request, run_window
from workers.cli.samples import load_sample
from workers.serve.service import EmbeddedService

TURN_S = 5.0
NUM_LISTERS = 5
NUM_LONG_POLLERS = 50
LONG_JOB = {"num_images": 1000, "image_size": 512, "effort": "high"}


@contextlib.contextmanager
def serving(*command: str, variables: dict[str, str]) -> Iterator[tuple[int, int]]:
    """Runs a server that takes its port as `{port}`; yields port and process id once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = [part.format(port=port) for part in command]
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env={**os.environ, **variables},
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            if process.poll() is not None:
                raise SystemExit(f"{command[0]} ended with exit code {process.returncode}")
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def cpu_s(pid: int) -> float:
    """The CPU time that a process has taken so far, in all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def submission() -> tuple[bytes, str]:
    """Body and headers of a job of one image of 256 px."""
    object_name, (picture, *_) = load_sample("brick")
    file = io.BytesIO()
    picture.resize((256, 256), Image.Resampling.BICUBIC).save(file, "PNG")
    form = httpx2.Request(
        "POST",
        "http://127.0.0.1",
        data={"object_name": object_name, "num_images": "2"},
        files={"images": ("a.png", file.getvalue())},
    )
    return form.read(), f"Content-Type: {form.headers['content-type']}\r\n"


def loads(chosen: argparse.Namespace, paths: dict[str, list[str]]) -> list[Load]:
    """The same clients for the service and for the bare route."""
    body, headers = submission()

    def submit() -> bytes:
        return request("POST", paths["submit"][0], body, headers)

    def read(kind: str) -> bytes:
        return request("GET", random.choice(paths[kind]))

    submit_status = 202 if paths["submit"] == ["/v1/jobs"] else 200
    return [
        Load("poll", chosen.pollers, 1.0, lambda: read("poll"), 200),
        Load("submit", chosen.submitters, 1.0, submit, submit_status),
        Load("list", NUM_LISTERS, 1.0, lambda: read("list"), 200),
    ]


async def drive(
    chosen: argparse.Namespace,
    job_ids: list[str],
    served: tuple[int, int],
    bare_served: tuple[int, int],
) -> tuple[Findings, Findings]:
    """Takes turns between the service and the bare route until both had their time."""
    (port, pid), (bare_port, bare_pid) = served, bare_served
    job_paths = [f"/v1/jobs/{job_id}" for job_id in job_ids]
    service_paths = {"poll": job_paths, "submit": ["/v1/jobs"], "list": ["/v1/jobs"]}
    bare_paths = {kind: [f"/{kind}"] for kind in service_paths}
    service, bare = Findings(), Findings()
    waiting = Load(
        "long poll",
        NUM_LONG_POLLERS,
        0.0,
        lambda: request("GET", random.choice(job_paths), headers="Prefer: wait=4\r\n"),
        200,
    )
    followers = [
        asyncio.create_task(follow(port, f"{random.choice(job_paths)}/events", service))
        for _ in range(chosen.followers)
    ]
    for _ in range(max(1, round(chosen.seconds / TURN_S))):
        before = cpu_s(bare_pid)
        await run_window(bare_port, loads(chosen, bare_paths), TURN_S, bare)
        bare.cpu_s += cpu_s(bare_pid) - before
        before = cpu_s(pid)
        await run_window(port, [*loads(chosen, service_paths), waiting], TURN_S, service)
        service.cpu_s += cpu_s(pid) - before
    for follower in followers:
        follower.cancel()
    await asyncio.wait(followers)
    return service, bare


def report(service: Findings, bare: Findings) -> None:
    """The Markdown table."""
    print(
        "| request | made | p50 ms | p99 ms | bare p50 ms | bare p99 ms | p50 ratio | p99 ratio |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for kind in ("poll", "submit", "list"):
        percentiles = [
            statistics.quantiles(found.seconds[kind], n=100)[place] * 1000
            for found in (service, bare)
            for place in (49, 98)
        ]
        p50, p99, bare_p50, bare_p99 = percentiles
        numbers = " | ".join(f"{number:.1f}" for number in percentiles)
        ratios = f"{p50 / bare_p50:.1f} | {p99 / bare_p99:.1f}"
        print(f"| {kind} | {len(service.seconds[kind])} | {numbers} | {ratios} |")
    print(f"\n{len(service.seconds['long poll'])} long polls, ", end="")
    print(f"{len(service.seconds['events'])} events followed, ", end="")
    errors = service.errors + bare.errors
    print(f"{sum(map(len, service.seconds.values()))} answers in all, {errors.total()} errors")
    for name, found in (("service", service), ("bare route", bare)):
        num_answers = sum(map(len, found.seconds.values()))
        print(f"CPU of the {name}: {found.cpu_s / num_answers * 1000:.2f} ms an answer")
    for error, count in errors.most_common(10):
        print(f"- {count} x {error}")


def begin(port: int) -> list[str]:
    """One long job for the worker and 20 that wait behind it; returns their ids."""
    body, headers = submission()
    name, _, value = headers.strip().partition(": ")
    long_job = {"object_name": "brick", **LONG_JOB}
    _, (picture, *_) = load_sample("brick")
    file = io.BytesIO()
    picture.save(file, "PNG")
    ids = []
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
        files = {"images": file.getvalue()}
        ids.append(
            http.post("/v1/jobs", data=long_job, files=files).raise_for_status().json()["id"]
        )
        for _ in range(20):
            answer = http.post("/v1/jobs", content=body, headers={name: value})
            ids.append(answer.raise_for_status().json()["id"])
        while http.get(f"/v1/jobs/{ids[0]}").json()["state"] == "queued":
            time.sleep(0.5)
    return ids


def measure(chosen: argparse.Namespace, folder: Path) -> int:
    """Runs everything; returns the exit code."""
    with EmbeddedService(Settings(data_dir=folder / "data", log_level="WARNING")) as embedded:
        values = embedded.settings.model_dump(mode="json")
        variables = {f"GOODMANY_{name.upper()}": str(value) for name, value in values.items()}
        with serving("workers.cli", "api", "--port", "{port}", variables=variables) as served:
            port, _ = served
            job_ids = begin(port)
            answers = folder / "answers"
            answers.mkdir()
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as http:
                job = http.get(f"/v1/jobs/{job_ids[0]}").content
                page = http.get("/v1/jobs").content
            for name, content in (("poll", job), ("submit", job), ("list", page)):
                (answers / name).write_bytes(content)
            bare = ("benchmarks.bare_service", "{port}", str(answers))
            with serving(*bare, variables={}) as bare_served:
                service, bare_found = asyncio.run(drive(chosen, job_ids, served, bare_served))
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as http:
                state = http.get(f"/v1/jobs/{job_ids[0]}").json()["state"]
                http.post(f"/v1/jobs/{job_ids[0]}/cancel")
    report(service, bare_found)
    if state != "running":
        print(f"The worker was not busy all the time: its job is {state}.")
    return 1 if service.errors or bare_found.errors or state != "running" else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of load on the service")
    parser.add_argument("--pollers", type=int, default=200)
    parser.add_argument("--submitters", type=int, default=20)
    parser.add_argument("--followers", type=int, default=50)
    with tempfile.TemporaryDirectory() as folder:
        raise SystemExit(measure(parser.parse_args(), Path(folder)))


if __name__ == "__main__":
    main()
