"""`goodmany keys`: who may use the service."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import redis
import typer

from app.api_keys import ApiKeys
from app.redis_connection import connect
from app.settings import Settings

key_commands = typer.Typer(help="API keys: who may use the service.", no_args_is_help=True)

DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Folder of a `goodmany serve` that runs or not, for its own Redis; else "
        "GOODMANY_REDIS_URL says where the keys are."
    ),
]


@key_commands.command()
def create(
    name: Annotated[str, typer.Argument(help="Who or what will use it.")],
    data_dir: DataDir = None,
) -> None:
    """Makes a key and prints it, this one time: only a hash of it is kept."""
    with _open_keys(data_dir) as api_keys:
        key, text = api_keys.create(name)
    typer.echo(f"Key {key.id} of {key.name}; it is not shown again:", err=True)
    typer.echo(text)


@key_commands.command("list")
def list_keys(data_dir: DataDir = None) -> None:
    """Lists all keys: id, day of making, whether it works, name."""
    with _open_keys(data_dir) as api_keys:
        for key in api_keys.all():
            state = "revoked" if key.revoked_at else "active"
            typer.echo(f"{key.id}  {key.created_at:%Y-%m-%d}  {state:<7}  {key.name}")


@key_commands.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `goodmany keys list` has it.")],
    data_dir: DataDir = None,
) -> None:
    """Makes a key worthless at once; its jobs stay and end as they would."""
    with _open_keys(data_dir) as api_keys:
        key = api_keys.revoke(key_id)
    typer.echo(f"Key {key.id} of {key.name} is revoked.", err=True)


@contextmanager
def _open_keys(data_dir: Path | None) -> Iterator[ApiKeys]:
    """The keys in the service's Redis.

    Raises:
        RuntimeError: Redis does not answer.
    """
    with ExitStack() as opened:
        if data_dir is None:
            redis_url = Settings().redis_url
        else:
            from workers.data_folder import redis_of_folder  # noqa: PLC0415, the API image has none

            redis_url = opened.enter_context(redis_of_folder(data_dir))
        connection = opened.enter_context(connect(redis_url))
        try:
            yield ApiKeys(connection)
        except redis.exceptions.RedisError as error:
            raise RuntimeError(f"Redis does not answer: {error}") from error
