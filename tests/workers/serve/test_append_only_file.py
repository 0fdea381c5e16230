"""What an older server has written is loaded whole, or the start says what to do."""

from pathlib import Path

import pytest

from app.base.redis_connection import connect
from app.jobs.model import JobRequest, new_job_id
from app.jobs.store import JobStore
from tests.workers.serve.old_folder import (
    OLD_FILE,
    commands_of,
    rdb_preamble,
    resp,
    write_old_folder,
)
from workers.serve.append_only_file import FOLDER, MANIFEST
from workers.serve.embedded_redis import EmbeddedRedis


def contents(server: EmbeddedRedis) -> list[bytes]:
    with connect(server.url) as connection:
        return commands_of(connection)


def loaded(folder: Path) -> list[bytes]:
    """What a server started on the folder holds."""
    server = EmbeddedRedis(folder)
    try:
        return contents(server)
    finally:
        server.stop()


def test_the_one_file_of_an_older_server_is_loaded_whole_and_kept(store: JobStore, tmp_path: Path):
    for number in range(3):
        store.create(new_job_id(), JobRequest(object_name=f"nut {number}"), 1)
    wanted = commands_of(store.connection)
    write_old_folder(tmp_path, wanted)
    for _ in range(2):
        assert loaded(tmp_path) == wanted
    # A server that is killed in the middle of taking the file over finds it again.
    assert not (tmp_path / OLD_FILE).exists()
    assert (tmp_path / FOLDER / OLD_FILE).exists()


def test_a_file_that_was_rewritten_begins_with_a_snapshot(tmp_path: Path):
    write_old_folder(tmp_path, [resp("RPUSH", "list", "a")], rdb_preamble(b"key", b"value"))
    assert loaded(tmp_path) == [resp("SET", "key", "value"), resp("RPUSH", "list", "a")]


def test_a_last_command_that_a_power_cut_has_torn_was_never_answered(tmp_path: Path):
    write_old_folder(tmp_path, [resp("SET", "whole", "1"), resp("SET", "torn", "1")[:-4]])
    assert loaded(tmp_path) == [resp("SET", "whole", "1")]


def test_a_takeover_that_was_cut_off_is_done_again(tmp_path: Path):
    """A manifest that names the old file alone, which lies where it was."""
    write_old_folder(tmp_path, [resp("SET", "key", "value")])
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / MANIFEST).write_text(f"file {OLD_FILE} seq 1 type b\n")
    assert loaded(tmp_path) == [resp("SET", "key", "value")]


def test_jobs_of_an_older_goodmany_that_was_used_in_between_are_not_passed_over(tmp_path: Path):
    write_old_folder(tmp_path, [resp("SET", "first", "1")])
    loaded(tmp_path)
    write_old_folder(tmp_path, [resp("SET", "second", "1")])
    with pytest.raises(RuntimeError, match="only one of them can be loaded"):
        EmbeddedRedis(tmp_path)
    (tmp_path / OLD_FILE).unlink()
    assert loaded(tmp_path) == [resp("SET", "first", "1")]


def test_a_folder_without_its_manifest_is_no_empty_folder(tmp_path: Path):
    write_old_folder(tmp_path, [resp("SET", "key", "value")])
    loaded(tmp_path)
    manifest = tmp_path / FOLDER / MANIFEST
    manifest.rename(tmp_path / "elsewhere")
    with pytest.raises(RuntimeError, match="without which Redis would start empty"):
        EmbeddedRedis(tmp_path)
    (tmp_path / "elsewhere").rename(manifest)
    assert loaded(tmp_path) == [resp("SET", "key", "value")]
