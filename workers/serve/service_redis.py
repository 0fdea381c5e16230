"""The service's Redis for a command that only wants to know or to change something in it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import redis
import typer

from app.base.redis_connection import connect, redis_fault
from app.settings import Settings
from workers.serve.redis_unreachable import RedisUnreachableError

DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Folder of a `goodmany serve` that runs or not, for its own Redis; else "
        "GOODMANY_REDIS_URL says where Redis is."
    ),
]


@contextmanager
def open_redis(data_dir: Path | None) -> Iterator[redis.Redis]:
    """A connection to the folder's own Redis, or to the one that the settings name.

    Raises:
        RedisUnreachableError: it is away or refuses.
    """
    with ExitStack() as opened:
        settings = Settings()
        if data_dir is None:
            redis_url = settings.redis_url
        else:
            from workers.serve.data_folder import redis_of_folder  # noqa: PLC0415, the API image has none

            redis_url = opened.enter_context(redis_of_folder(data_dir, settings.redis_server))
        try:
            yield opened.enter_context(connect(redis_url))
        except redis.exceptions.RedisError as error:
            said = redis_fault(error) or "Redis does not do as it is told."
            raise RedisUnreachableError(f"{said} ({error})") from error
