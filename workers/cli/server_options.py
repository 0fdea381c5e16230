"""The options of every command that asks a service, and how a job is followed in the terminal."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console

from goodmany import Client, Job, JobStatus
from goodmany.progress_bar import ProgressBar

DEFAULT_SERVER = "http://127.0.0.1:8000"
INTERRUPTED = 130

Server = Annotated[str, typer.Option(help="Address of the service.", envvar="GOODMANY_SERVER")]
ApiKey = Annotated[
    str | None, typer.Option(help="If the service asks for one.", envvar="GOODMANY_API_KEY")
]
AsJson = Annotated[bool, typer.Option("--json", help="Prints the job object of the API instead.")]
JobId = Annotated[str, typer.Argument(metavar="ID", help="As `goodmany submit` prints it.")]


@contextmanager
def connected(server: str, api_key: str | None) -> Iterator[Client]:
    """A client of the service; an empty key is none."""
    with Client(server, api_key or "") as client:
        yield client


def follow(job: Job, server: str, console: Console) -> JobStatus:
    """Draws the job's progress until it has succeeded.

    Interrupted, it says how to go on: the job does.

    Raises:
        GoodmanyError: as of `Job.wait`.
        Exit: it was interrupted.
    """
    try:
        with ProgressBar(console) as bar:
            return job.wait(bar.tell)
    except KeyboardInterrupt:
        print(
            f"Job {job.id} goes on. To go on with it: {resume_line(job, server)}", file=sys.stderr
        )
        raise typer.Exit(INTERRUPTED) from None


def resume_line(job: Job, server: str) -> str:
    """The command that goes on with a job."""
    elsewhere = "" if server == DEFAULT_SERVER else f" --server {server}"
    return f"goodmany wait {job.id}{elsewhere}"


def print_json(document: Mapping[str, Any] | list[Any]) -> None:
    """One document, one line, at once."""
    print(json.dumps(document, ensure_ascii=False), flush=True)
