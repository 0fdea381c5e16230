"""`goodmany`: the command line, one group of commands a file.

What a command needs is imported when it is called, torch only by those that need it.
"""

import os
from typing import Annotated

import typer

from workers.cli.on_demand import CommandsOnDemand, OnDemand

COMMANDS = {
    "serve": OnDemand(
        "workers.cli.commands.serve:serve",
        "Runs Redis, one worker and the API on this machine, until it is stopped.",
        "worker",
    ),
    "api": OnDemand(
        "workers.cli.commands.serve:api",
        "Runs the API alone; Redis and the storage are named by the settings.",
        "api",
    ),
    "worker": OnDemand(
        "workers.cli.commands.serve:worker",
        "Runs one worker, until it is stopped; a running job is finished first.",
        "worker",
    ),
    "courier": OnDemand(
        "workers.cli.commands.serve:courier",
        "Delivers webhooks and answers the prompt dry run, until it is stopped; needs no torch.",
        "api,words",
    ),
    "viewer": OnDemand(
        "workers.cli.commands.serve:viewer",
        "Shows which views of images are good (`POST /v1/views`), until it is stopped; on the CPU.",
        "worker",
    ),
    "webhook-secret": OnDemand(
        "workers.cli.commands.webhook_secret:webhook_secret",
        "Prints the secret by which a receiver verifies the webhooks of a key's jobs.",
        "api",
    ),
    "generate": OnDemand(
        "workers.cli.commands.generate:generate",
        "Makes new images without a server: the same pipeline, the same ZIP.",
        "worker",
    ),
    "submit": OnDemand(
        "workers.cli.commands.submit:submit",
        "Has a running service make new images: prints the job's id, with --out waits for the ZIP.",
    ),
    "status": OnDemand(
        "workers.cli.commands.jobs:status",
        "Says how a job stands.",
    ),
    "wait": OnDemand(
        "workers.cli.commands.jobs:wait",
        "Waits until a job has succeeded; fails when it fails.",
    ),
    "download": OnDemand(
        "workers.cli.commands.jobs:download",
        "Writes the files of a job that has succeeded.",
    ),
    "cancel": OnDemand(
        "workers.cli.commands.jobs:cancel",
        "Stops a job for certain.",
    ),
    "delete": OnDemand(
        "workers.cli.commands.jobs:delete",
        "Removes the files of a job that is over.",
    ),
    "list": OnDemand(
        "workers.cli.commands.jobs:list_jobs",
        "Lists the jobs, the newest first: id, state, percent, images, time, name.",
    ),
    "views": OnDemand(
        "workers.cli.commands.views:views",
        "Shows which views of good images are believed to be good parts, and why.",
        "worker",
    ),
    "demo": OnDemand(
        "workers.cli.commands.demo:demo",
        "Starts the service, has it work on sample images, and stops it.",
        "worker,demo",
    ),
    "evaluate": OnDemand(
        "models.evaluation.command:evaluate",
        "Measures what generated images are worth to a detector, on DATA in the MVTec layout.",
        "worker,evaluate",
    ),
    "models": OnDemand(
        "workers.cli.commands.models:model_commands",
        "The models: which a worker uses, where they come from, and whether they are whole.",
    ),
    "keys": OnDemand(
        "workers.cli.commands.keys:key_commands",
        "API keys: who may use the service.",
        "api",
    ),
    "storage": OnDemand(
        "workers.cli.commands.storage:storage_commands",
        "The storage: which service its files belong to.",
        "api",
    ),
}


class Goodmany(CommandsOnDemand):
    """All commands."""

    places = COMMANDS


cli = typer.Typer(
    cls=Goodmany,
    no_args_is_help=True,
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415

        typer.echo(version("goodmany"))
        raise typer.Exit


@cli.callback()
def goodmany(
    _: Annotated[
        bool,
        typer.Option(
            "--version", help="Prints the version.", callback=_tell_version, is_eager=True
        ),
    ] = False,
) -> None:
    """A few good images in, a good many out."""


def main() -> None:
    """Runs the command; what goes wrong is one sentence and an exit code (`failures.py`)."""
    # Threads that wait for work must not spin: on a machine that does anything else beside,
    # spinning costs several times the time. Read by OpenMP when torch is first imported, in
    # children too.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        cli()
    except Exception as error:
        from workers.cli import failures  # noqa: PLC0415

        if not isinstance(error, failures.TOLD):
            raise
        failures.tell(error)
        raise SystemExit(failures.exit_code_of(error)) from error
