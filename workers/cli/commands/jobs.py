"""`goodmany status | wait | download | cancel | delete | list`: a service's jobs, by their ids."""

from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.jobs.model import JobState
from goodmany import JobStatus
from workers.cli.failures import UsageError
from workers.cli.output_file import open_output
from workers.cli.server_options import (
    DEFAULT_SERVER,
    ApiKey,
    AsJson,
    JobId,
    Server,
    connected,
    follow,
    print_json,
)


def status(
    job_id: JobId,
    *,
    server: Server = DEFAULT_SERVER,
    api_key: ApiKey = None,
    as_json: AsJson = False,
) -> None:
    """Says how a job stands."""
    with connected(server, api_key) as client:
        job = client.job(job_id).status
    if as_json:
        print_json(job.raw)
        return
    for name, value in _facts(job).items():
        if value:
            typer.echo(f"{name:<8} {value}")


def wait(
    job_id: JobId,
    *,
    server: Server = DEFAULT_SERVER,
    api_key: ApiKey = None,
    as_json: AsJson = False,
) -> None:
    """Waits until a job has succeeded; fails when it fails."""
    with connected(server, api_key) as client:
        job = client.job(job_id)
        follow(job, server, Console(stderr=True))
    if as_json:
        print_json(job.status.raw)
    else:
        typer.echo(job.status.state)


def download(
    job_id: JobId,
    *,
    out: Annotated[Path | None, typer.Option(help="The ZIP to write.")] = None,
    preview: Annotated[
        Path | None, typer.Option(help="A PNG to write: the real images beside the new ones.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="A page to write with all that the set is judged by.")
    ] = None,
    without: Annotated[
        str | None, typer.Option(help="Numbers of images to leave out of the ZIP, such as 3,7.")
    ] = None,
    flat: Annotated[
        bool, typer.Option("--flat", help="The images alone in the ZIP, in no folder.")
    ] = False,
    server: Server = DEFAULT_SERVER,
    api_key: ApiKey = None,
    as_json: AsJson = False,
) -> None:
    """Writes the files of a job that has succeeded."""
    wanted = {"archive": out, "preview": preview, "report": report}
    paths = {what: path for what, path in wanted.items() if path is not None}
    if not paths:
        raise UsageError("Say at least one of --out, --preview and --report.")
    with connected(server, api_key) as client, ExitStack() as opened:
        files = {what: opened.enter_context(open_output(path)) for what, path in paths.items()}
        job = client.job(job_id)
        for what, file in files.items():
            query = {"without": without or "", "layout": "flat" if flat else ""}
            said = {name: value for name, value in query.items() if value and what == "archive"}
            job.download(what, file, **said)
    if as_json:
        print_json(job.status.raw)
    else:
        typer.echo("\n".join(str(path) for path in paths.values()))


def cancel(
    job_id: JobId,
    *,
    server: Server = DEFAULT_SERVER,
    api_key: ApiKey = None,
    as_json: AsJson = False,
) -> None:
    """Stops a job for certain."""
    with connected(server, api_key) as client:
        job = client.job(job_id)
        job.cancel()
    if as_json:
        print_json(job.status.raw)
    else:
        typer.echo(job.status.state)


def delete(
    job_id: JobId,
    *,
    server: Server = DEFAULT_SERVER,
    api_key: ApiKey = None,
    as_json: AsJson = False,
) -> None:
    """Removes the files of a job that is over."""
    with connected(server, api_key) as client:
        job = client.job(job_id)
        job.delete()
        job.refresh()
    if as_json:
        print_json(job.status.raw)
    else:
        typer.echo(job.status.state)


def list_jobs(
    *,
    state: Annotated[
        list[JobState] | None, typer.Option(help="Only jobs in this state; may be repeated.")
    ] = None,
    object_name: Annotated[
        str | None, typer.Option(help="Only jobs of this very name, in capitals or not.")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1)] = 20,
    server: Server = DEFAULT_SERVER,
    api_key: ApiKey = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Prints a list of job objects of the API instead.")
    ] = False,
) -> None:
    """Lists the jobs, the newest first: id, state, percent, images, time, name."""
    states = [str(one) for one in state or ()] or None
    with connected(server, api_key) as client:
        jobs = [
            job.status for job in islice(client.jobs(state=states, object_name=object_name), limit)
        ]
    if as_json:
        print_json([job.raw for job in jobs])
        return
    for job in jobs:
        images = f"{job.num_images}/{job.num_images_requested}"
        typer.echo(
            f"{job.id}  {job.state:<9}  {job.percent:3.0f}%  {images:>9}  "
            f"{_time(job)}  {job.object_name}"
        )


def _facts(job: JobStatus) -> dict[str, str]:
    """What a person asks first."""
    place = f", no. {job.queue_position} in the queue" if job.queue_position else ""
    stage = f", {job.stage}, {job.percent:.0f} %" if job.state == "running" else ""
    size = f", {job.width} x {job.height} px" if job.width else ""
    return {
        "id": job.id,
        "state": f"{job.state}{place}{stage}",
        "object": job.object_name,
        "prompt": job.prompt or "",
        "images": f"{job.num_images} of {job.num_images_requested}{size}",
        "created": _time(job),
        "problem": str(job.problem["detail"]) if job.problem else "",
    }


def _time(job: JobStatus) -> str:
    """When it was accepted, by the clock on the wall here."""
    return f"{job.created_at.astimezone():%Y-%m-%d %H:%M}" if job.created_at else ""
