"""The embedded server by default; the system's, when the setting says so and it can be used."""

from pathlib import Path

import pytest

from app.base.redis_connection import connect
from app.settings import Settings
from workers.serve.embedded_redis import EmbeddedRedis
from workers.serve.server_binary import EMBEDDED, find_server
from workers.serve.service import EmbeddedService


def program(folder: Path, said: str, mode: int = 0o755) -> str:
    path = folder / "redis-server"
    path.write_text(f"#!/bin/sh\necho '{said}'\n")
    path.chmod(mode)
    return str(path)


def test_a_server_of_the_system_is_used_by_name_or_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    own = tmp_path / "bin" / "some-redis"
    own.parent.mkdir()
    own.symlink_to(find_server(EMBEDDED))
    monkeypatch.setenv("PATH", str(own.parent), prepend=":")
    for setting in ("some-redis", str(own)):
        server = EmbeddedRedis(tmp_path / "redis", setting)
        assert server.program == own
        with connect(server.url) as connection:
            assert connection.ping()
        server.stop()


@pytest.mark.parametrize(
    ("said", "mode", "why"),
    [
        ("Redis server v=7.0.15 sha=0", 0o644, "no program that can be executed"),
        ("Redis server v=6.2.14 sha=0", 0o755, "is Redis 6.2; 7.0 or newer, or Valkey, is needed"),
        ("bash 5.2", 0o755, "neither Redis nor Valkey"),
    ],
)
def test_what_is_no_server_that_can_be_used_is_told(tmp_path: Path, said: str, mode: int, why: str):
    settings = Settings(data_dir=tmp_path / "data", redis_server=program(tmp_path, said, mode))
    with pytest.raises(RuntimeError, match=f"GOODMANY_REDIS_SERVER.*{why}"):
        EmbeddedService(settings)


@pytest.mark.parametrize("said", ["Redis server v=7.0.15 sha=0", "Valkey server v=10.0.1 sha=0"])
def test_versions_are_compared_as_numbers(tmp_path: Path, said: str):
    path = program(tmp_path, said)
    assert str(find_server(path)) == path


def test_a_name_that_is_nowhere_is_told():
    with pytest.raises(RuntimeError, match="is no-such-redis, which is no program"):
        find_server("no-such-redis")


def test_the_embedded_server_does_not_import_its_package(monkeypatch: pytest.MonkeyPatch):
    # As if it were not installed, and as if whoever imports it failed.
    monkeypatch.setattr("workers.serve.server_binary.PACKAGE", "no-such-package")
    with pytest.raises(RuntimeError, match=r"install goodmany\[worker\], or name a redis-server"):
        find_server(EMBEDDED)
