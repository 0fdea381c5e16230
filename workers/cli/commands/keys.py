"""`goodmany keys`: who may use the service."""

from typing import Annotated

import typer

from app.access.api_keys import ApiKeys
from workers.serve.service_redis import DataDir, open_redis

key_commands = typer.Typer(help="API keys: who may use the service.", no_args_is_help=True)


@key_commands.command()
def create(
    name: Annotated[str, typer.Argument(help="Who or what will use it.")],
    data_dir: DataDir = None,
) -> None:
    """Makes a key and prints it, this one time: only a hash of it is kept."""
    with open_redis(data_dir) as connection:
        key, text = ApiKeys(connection).create(name)
    typer.echo(f"Key {key.id} of {key.name}; it is not shown again:", err=True)
    typer.echo(text)


@key_commands.command("list")
def list_keys(data_dir: DataDir = None) -> None:
    """Lists all keys: id, day of making, whether it works, name."""
    with open_redis(data_dir) as connection:
        for key in ApiKeys(connection).all():
            state = "revoked" if key.revoked_at else "active"
            typer.echo(f"{key.id}  {key.created_at:%Y-%m-%d}  {state:<7}  {key.name}")


@key_commands.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `goodmany keys list` has it.")],
    data_dir: DataDir = None,
) -> None:
    """Makes a key worthless at once; its jobs stay and end as they would."""
    with open_redis(data_dir) as connection:
        key = ApiKeys(connection).revoke(key_id)
    typer.echo(f"Key {key.id} of {key.name} is revoked.", err=True)
