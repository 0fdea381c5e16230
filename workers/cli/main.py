"""`goodmany`: the command line, one group of commands a file.

Torch is imported by the commands that need it, and only then.
"""

import logging
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.observability.logs import logs_are_json, start_logging
from app.settings import Settings
from models.evaluation.command import evaluate
from workers.cli.commands.generate import generate
from workers.cli.commands.keys import key_commands
from workers.cli.commands.serve import api, courier, serve, viewer, worker
from workers.cli.commands.storage import storage_commands
from workers.cli.commands.submit import submit
from workers.cli.commands.views import views
from workers.cli.commands.webhook_secret import webhook_secret
from workers.cli.failures import TOLD, exit_code_of, sentence_of

cli = typer.Typer(
    help="A few good images in, a good many out.", no_args_is_help=True, add_completion=False
)


def main() -> None:
    """Runs the command; what goes wrong is one sentence and an exit code (`failures.py`)."""
    # Threads that wait for work must not spin: on a machine that does anything else beside,
    # spinning costs several times the time. Read by OpenMP when torch is first imported, in
    # children too.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        cli()
    except TOLD as error:
        if logs_are_json():
            logging.getLogger("goodmany").critical("%s", sentence_of(error))
        else:
            errors = Console(stderr=True)
            said = f"goodmany: {sentence_of(error)}"
            errors.print(said, style="red", highlight=False, markup=False)
        raise SystemExit(exit_code_of(error)) from error


def demo(
    sample: Annotated[str, typer.Option(help="brick, coin or textile.")] = "brick",
    folder: Annotated[Path, typer.Option(help="Where everything is written.")] = Path("demo"),
) -> None:
    """Starts the service, has it work on sample images, and stops it."""
    from workers.cli.commands.demo import run_demo  # noqa: PLC0415

    settings = Settings(log_level="WARNING")
    start_logging(settings)
    run_demo(settings, sample, folder, Console())


for command in (
    *(serve, api, worker, courier, viewer),
    *(webhook_secret, generate, submit, views, demo, evaluate),
):
    cli.command()(command)
cli.add_typer(key_commands, name="keys")
cli.add_typer(storage_commands, name="storage")
