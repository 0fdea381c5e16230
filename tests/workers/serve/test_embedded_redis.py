"""The folder's own Redis: keeps what it was told, wherever the folder lies."""

import os
import signal
from pathlib import Path

import pytest

from app.base.redis_connection import connect
from tests.conftest import wait_until
from workers.serve.embedded_redis import EmbeddedRedis


@pytest.mark.parametrize("depth", [0, 20])
def test_it_keeps_everything_over_a_stop(tmp_path: Path, depth: int):
    folder = tmp_path.joinpath(*["deep-folder"] * depth, "redis")
    for expected in (None, b"value"):
        server = EmbeddedRedis(folder)
        with connect(server.url) as connection:
            assert connection.get("key") == expected
            connection.set("key", "value")
        server.stop()
        assert not server.socket.exists()


def test_it_keeps_everything_over_a_kill(tmp_path: Path):
    server = EmbeddedRedis(tmp_path)
    with connect(server.url) as connection:
        connection.set("key", "value")
        # The file is flushed to the disk once a second; the kernel has it at once.
        os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    again = EmbeddedRedis(tmp_path)
    with connect(again.url) as connection:
        assert connection.get("key") == b"value"
    again.stop()


def test_a_leftover_server_is_replaced(tmp_path: Path):
    leftover = EmbeddedRedis(tmp_path)
    server = EmbeddedRedis(tmp_path)
    wait_until(lambda: leftover.process.poll() is not None)
    with connect(server.url) as connection:
        assert connection.ping()
    server.stop()


def test_a_folder_that_redis_cannot_use_is_told(tmp_path: Path):
    (tmp_path / "appendonly.aof").write_text("this is no append-only file")
    with pytest.raises(RuntimeError, match="Redis did not start") as told:
        EmbeddedRedis(tmp_path)
    assert "only that one can read it" in str(told.value)
