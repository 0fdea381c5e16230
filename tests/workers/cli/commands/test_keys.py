"""`goodmany keys` on a Redis by its address and on the folder of a service that runs or not."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.access.api_keys import ApiKeys
from app.base.redis_connection import connect
from app.jobs.store import JobStore
from app.problems import Unauthorized
from app.settings import Settings
from tests.workers.cli.test_main import run_main
from workers.cli.main import cli
from workers.serve.data_folder import REDIS_FOLDER, FolderInUseError, lock_folder, redis_of_folder
from workers.serve.embedded_redis import EmbeddedRedis


def keys(*arguments: object, redis_url: str = "unix:///nowhere") -> Result:
    answer = CliRunner().invoke(
        cli, ["keys", *map(str, arguments)], env={"GOODMANY_REDIS_URL": redis_url}
    )
    assert answer.exit_code == 0, answer.output
    return answer


@contextmanager
def running(folder: Path) -> Iterator[EmbeddedRedis]:
    """What a `goodmany serve` holds of its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder):
        server = EmbeddedRedis(folder / REDIS_FOLDER)
        yield server
        server.stop()


def test_a_key_is_made_listed_and_revoked(store: JobStore, settings: Settings):
    made = keys("create", "line 3", redis_url=settings.redis_url)
    # Nothing but the key, for a script to take.
    text = made.stdout.strip()
    key_id = ApiKeys(store.connection).check(text)
    secret = text.rsplit("_", 1)[1]
    listed = keys("list", redis_url=settings.redis_url)
    assert listed.stdout.split()[::2] == [key_id, "active", "3"]
    assert secret not in listed.output
    revoked = keys("revoke", key_id, redis_url=settings.redis_url)
    assert secret not in revoked.output
    with pytest.raises(Unauthorized, match="revoked"):
        ApiKeys(store.connection).check(text)
    assert "revoked" in keys("list", redis_url=settings.redis_url).stdout


@pytest.mark.parametrize("depth", [0, 20])
def test_the_folder_of_a_service_is_enough(tmp_path: Path, depth: int):
    folder = tmp_path.joinpath(*["deep-folder"] * depth, "data")
    with running(folder) as server:
        first = keys("create", "while it runs", "--data-dir", folder).stdout.strip()
        with connect(server.url) as connection:
            ApiKeys(connection).check(first)
    second = keys("create", "while it is stopped", "--data-dir", folder).stdout.strip()
    with running(folder) as server, connect(server.url) as connection:
        assert ApiKeys(connection).check(first) != ApiKeys(connection).check(second)
    names = keys("list", "--data-dir", folder).stdout.splitlines()
    assert [line.split(maxsplit=3)[-1] for line in names] == [
        "while it runs",
        "while it is stopped",
    ]


def test_no_service_can_start_while_a_command_has_the_stopped_folder(tmp_path: Path):
    with running(tmp_path):
        pass
    with redis_of_folder(tmp_path), pytest.raises(FolderInUseError, match="in use by another"):
        lock_folder(tmp_path)
    lock_folder(tmp_path).close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create", "a\tb"], "1 to 100 printable characters"),
        (["revoke", "123"], "There is no API key 123"),
        (["list", "--data-dir", "/nowhere"], "/nowhere is no data folder"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    settings: Settings,
    arguments: list[str],
    said: str,
):
    monkeypatch.setenv("GOODMANY_REDIS_URL", settings.redis_url)
    assert run_main(monkeypatch, "keys", *arguments) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_redis_that_is_away_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    monkeypatch.setenv("GOODMANY_REDIS_URL", f"unix://{tmp_path}/redis.sock")
    assert run_main(monkeypatch, "keys", "create", "line 3") == 5
    assert "Redis is away" in capsys.readouterr().err


def test_it_needs_neither_torch_nor_an_embedded_redis():
    check = (
        "import sys, workers.cli.commands.keys; "
        "assert not {'torch', 'valkey', 'workers.serve.embedded_redis'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
