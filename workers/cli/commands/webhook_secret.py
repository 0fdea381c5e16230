"""`goodmany webhook-secret`: what a receiver verifies webhooks by."""

from typing import Annotated

import typer

from app.access.api_keys import ApiKeys
from app.settings import Settings
from workers.cli.failures import UsageError
from workers.courier import webhook_secret as secrets
from workers.serve.service_redis import DataDir, open_redis


def webhook_secret(
    key: Annotated[
        str, typer.Option(help="Id of the API key that the jobs come with; none without keys.")
    ] = "",
    data_dir: DataDir = None,
) -> None:
    """Prints the secret by which a receiver verifies the webhooks of a key's jobs."""
    with open_redis(data_dir) as connection:
        if key and key not in {known.id for known in ApiKeys(connection).all()}:
            raise UsageError(f"There is no API key {key}.")
        typer.echo(secrets.webhook_secret(Settings(), connection, key))
