"""A ZIP without some of its images is a ZIP that everybody reads, and says what is missing."""

import hashlib
import io
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from app.files.shorter_archive import flatten_archive, image_names, shorten_archive
from tests.conftest import missing_tool
from tests.workers.archive.made import (
    archive_bytes,
    contents,
    made_request,
    made_result,
    rows_of,
)

NUM_IMAGES = 5
CHANGED = {"manifest.json", "README.md", "metal_nut/train/metadata.csv"}


@pytest.fixture(scope="module")
def whole() -> bytes:
    return archive_bytes(made_result(NUM_IMAGES), made_request())


def shorten(whole: bytes, *numbers: int) -> bytes:
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        names = [image_names(archive)[number] for number in numbers]
    return b"".join(shorten_archive(io.BytesIO(whole), names))


@pytest.mark.parametrize("numbers", [(0,), (1, 3), (0, 1, 2, 3)])
def test_what_is_left_is_as_it_was(whole: bytes, numbers: tuple[int, ...]):
    before, after = contents(whole), contents(shorten(whole, *numbers))
    left_out = {f"metal_nut/train/good/{number:03d}.png" for number in numbers}
    assert list(after) == [name for name in before if name not in left_out]
    for name in after.keys() - CHANGED:
        assert after[name] == before[name]
    rows = rows_of(after)
    assert [row["file_name"] for row in rows] == [
        f"good/{number:03d}.png" for number in range(NUM_IMAGES) if number not in numbers
    ]
    for row in rows:
        png = after[f"metal_nut/{row['image_path']}"]
        assert hashlib.sha256(png).hexdigest() == row["sha256"]
    manifest = json.loads(after["manifest.json"])
    assert manifest["num_images"] == len(manifest["images"]) == NUM_IMAGES - len(numbers)
    assert set(manifest["left_out"]) == left_out
    assert left_out.isdisjoint(image["file"] for image in manifest["images"])
    for name in left_out:
        assert name in after["README.md"].decode()


def test_without_nothing_left_out_the_entries_are_the_same(whole: bytes):
    before, after = contents(whole), contents(shorten(whole))
    assert list(before) == list(after)
    assert rows_of(before) == rows_of(after)


def test_it_needs_no_data_descriptors_and_other_programs_read_it(whole: bytes, tmp_path: Path):
    shorter = shorten(whole, 2)
    with zipfile.ZipFile(io.BytesIO(shorter)) as archive:
        assert archive.testzip() is None
        assert all(entry.flag_bits & 0x08 == 0 for entry in archive.infolist())
    if shutil.which("unzip") is None:
        missing_tool("unzip is not installed")
    path = tmp_path / "shorter.zip"
    path.write_bytes(shorter)
    subprocess.run(["unzip", "-tqq", str(path)], check=True)


@pytest.mark.parametrize("numbers", [(), (0,), (1, 3)])
def test_a_flat_archive_is_the_images_alone(whole: bytes, numbers: tuple[int, ...]):
    before = contents(whole)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        names = image_names(archive)
    left_out = [names[number] for number in numbers]
    flat = b"".join(flatten_archive(io.BytesIO(whole), left_out))
    assert contents(flat) == {
        f"metal_nut-{number:03d}.png": before[name]
        for number, name in enumerate(names)
        if number not in numbers
    }
    with zipfile.ZipFile(io.BytesIO(flat)) as archive:
        assert archive.testzip() is None
        assert all(entry.flag_bits & 0x08 == 0 for entry in archive.infolist())
