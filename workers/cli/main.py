"""`goodmany`: the command line, one group of commands a file.

What a command needs is imported when it is called, torch only by those that need it.
"""

import os

import typer

from workers.cli.on_demand import CommandsOnDemand, OnDemand

COMMANDS = {
    "serve": OnDemand(
        "workers.cli.commands.serve:serve",
        "Runs Redis, one worker and the API on this machine, until it is stopped.",
    ),
    "api": OnDemand(
        "workers.cli.commands.serve:api",
        "Runs the API alone; Redis and the storage are named by the settings.",
    ),
    "worker": OnDemand(
        "workers.cli.commands.serve:worker",
        "Runs one worker, until it is stopped; a running job is finished first.",
    ),
    "courier": OnDemand(
        "workers.cli.commands.serve:courier",
        "Delivers webhooks and answers the prompt dry run, until it is stopped; needs no torch.",
    ),
    "viewer": OnDemand(
        "workers.cli.commands.serve:viewer",
        "Shows which views of images are good (`POST /v1/views`), until it is stopped; on the CPU.",
    ),
    "webhook-secret": OnDemand(
        "workers.cli.commands.webhook_secret:webhook_secret",
        "Prints the secret by which a receiver verifies the webhooks of a key's jobs.",
    ),
    "generate": OnDemand(
        "workers.cli.commands.generate:generate",
        "Makes new images without a server: the same pipeline, the same ZIP.",
    ),
    "submit": OnDemand(
        "workers.cli.commands.submit:submit",
        "Has a running service make new images, and downloads the ZIP.",
    ),
    "views": OnDemand(
        "workers.cli.commands.views:views",
        "Shows which views of good images are believed to be good parts, and why.",
    ),
    "demo": OnDemand(
        "workers.cli.commands.demo:demo",
        "Starts the service, has it work on sample images, and stops it.",
    ),
    "evaluate": OnDemand(
        "models.evaluation.command:evaluate",
        "Measures what generated images are worth to a detector, on DATA in the MVTec layout.",
    ),
    "models": OnDemand(
        "workers.cli.commands.models:model_commands",
        "The models: which a worker uses, where they come from, and whether they are whole.",
    ),
    "keys": OnDemand(
        "workers.cli.commands.keys:key_commands",
        "API keys: who may use the service.",
    ),
    "storage": OnDemand(
        "workers.cli.commands.storage:storage_commands",
        "The storage: which service its files belong to.",
    ),
}


class Goodmany(CommandsOnDemand):
    """All commands."""

    places = COMMANDS


cli = typer.Typer(
    cls=Goodmany,
    help="A few good images in, a good many out.",
    no_args_is_help=True,
    add_completion=False,
)


@cli.callback()
def goodmany() -> None:  # noqa: D103, Typer takes a group without commands for one with this alone
    pass


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
