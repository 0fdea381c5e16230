"""Temporary files of killed processes go when the next one starts; those of living ones stay."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from app.files.spool import LOCK_NAME, spool_folder
from app.settings import Settings
from tests.service_parts import ServiceParts

PROGRAM = """
import sys, tempfile, pathlib
from app.files.spool import use_spool
use_spool(pathlib.Path(sys.argv[1]))
file = tempfile.NamedTemporaryFile(delete=False)
file.write(b"half an upload")
file.flush()
print(file.name, flush=True)
sys.stdin.read()
"""


def start(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_what_a_killed_process_left_goes_and_what_a_living_one_has_stays(tmp_path: Path):
    folder = tmp_path / "tmp"
    (killed, left), (living, kept) = start(folder), start(folder)
    assert left.parent != kept.parent
    assert left.is_relative_to(folder)
    end(killed)
    assert left.exists()
    third, _ = start(folder)
    assert not left.parent.exists()
    assert kept.read_bytes() == b"half an upload"
    assert folder.stat().st_mode & 0o777 == kept.parent.stat().st_mode & 0o777 == 0o700
    end(living)
    end(third)


def test_a_folder_that_cannot_be_used_stops_nobody(tmp_path: Path):
    (tmp_path / "tmp").write_text("a file")
    process, path = start(tmp_path / "tmp")
    assert path.exists()
    end(process)
    path.unlink()


def test_an_api_that_is_killed_again_and_again_fills_no_disk(
    tmp_path_factory: pytest.TempPathFactory,
):
    with ServiceParts(tmp_path_factory.mktemp("parts")) as parts:
        for _ in range(2):
            parts.start_api()
            spools = [path for path in (parts.settings.data_dir / "tmp").iterdir() if path.is_dir()]
            assert len(spools) == 1
            (spools[0] / "tmp1234").write_bytes(b"half an upload")
            assert (spools[0] / LOCK_NAME).exists()
            assert parts.api is not None
            parts.api.kill()
            parts.api.wait()


def test_a_process_without_a_data_folder_makes_none(tmp_path: Path):
    local = Settings(data_dir=tmp_path / "data")
    assert spool_folder(local) == tmp_path / "data" / "tmp"
    elsewhere = Settings(data_dir=tmp_path / "data", storage_url="s3://bucket/x")
    assert spool_folder(elsewhere).parent == Path(tempfile.gettempdir())
    (tmp_path / "data").mkdir()
    assert spool_folder(elsewhere) == tmp_path / "data" / "tmp"
