"""`goodmany storage`: which service the files belong to."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from app.files.storage import Storage
from app.retention.instance import ForeignStorageError, Instance
from app.settings import Settings
from workers.serve.service_redis import DataDir, open_redis

storage_commands = typer.Typer(
    help="The storage: which service its files belong to.", no_args_is_help=True
)


@storage_commands.command()
def check(data_dir: DataDir = None) -> None:
    """Says whether Redis and the storage belong together; expired files are removed only then."""
    with _open_instance(data_dir) as instance:
        try:
            typer.echo(f"The storage is this service's, {instance.check()}.")
        except ForeignStorageError as error:
            raise RuntimeError(str(error)) from error


@storage_commands.command()
def adopt(data_dir: DataDir = None) -> None:
    """Makes the storage this service's, as after Redis has lost its data.

    What expires is removed again from then on, and so are the files of jobs that Redis does not
    know, when they are older than GOODMANY_ORPHANS_TTL_S. Never do this while another service uses
    the storage.
    """
    with _open_instance(data_dir) as instance:
        num_unknown = instance.adopt()
        typer.echo(f"The storage is this service's, {instance.check()}.")
    if num_unknown:
        typer.echo(
            f"Redis does not know {num_unknown} of its jobs; their files will be removed.", err=True
        )


@contextmanager
def _open_instance(data_dir: DataDir) -> Iterator[Instance]:
    settings = Settings() if data_dir is None else Settings(data_dir=data_dir)
    with open_redis(data_dir) as connection:
        yield Instance(connection, Storage(settings.storage_address))
