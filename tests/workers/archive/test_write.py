import csv
import hashlib
import io
import json
import shutil
import subprocess
import zipfile
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from PIL import Image

from models.job.request import GeneratedImage, GenerationResult
from tests.conftest import missing_tool
from tests.workers.archive.made import (
    CREATED_AT,
    archive_bytes,
    contents,
    made_request,
    made_result,
    rows_of,
)
from workers.archive.write import write_archive


def test_pixels_come_back_exactly():
    result = made_result(5)
    files = contents(archive_bytes(result, made_request()))
    for n, image in enumerate(result.images):
        with Image.open(io.BytesIO(files[f"metal_nut/train/good/{n:03d}.png"])) as read:
            assert read.mode == "RGB"
            assert np.array_equal(np.asarray(read), image.pixels)


def test_same_arguments_give_the_same_bytes():
    first, second = (
        archive_bytes(made_result(), made_request(), include_reference=True) for _ in range(2)
    )
    assert first == second


def test_a_file_that_cannot_seek_gets_the_same_bytes(tmp_path):
    class Pipe(io.RawIOBase):
        def __init__(self):
            self.received = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data) -> int:
            self.received += data
            return len(data)

    pipe = Pipe()
    write_archive(pipe, made_result(), made_request(), job_id="job-1", created_at=CREATED_AT)
    assert bytes(pipe.received) == archive_bytes(made_result(), made_request())


def test_every_image_is_told_and_the_listener_may_end_it():
    told: list[np.ndarray] = []
    result = made_result(3)
    arguments = (result, made_request())
    facts = {"job_id": "job-1", "created_at": CREATED_AT}
    write_archive(io.BytesIO(), *arguments, **facts, include_reference=True, on_image=told.append)
    assert len(told) == 3
    for pixels, image in zip(told, result.images, strict=True):
        assert np.array_equal(pixels, image.pixels)

    class CanceledError(Exception):
        pass

    def cancel(pixels: np.ndarray) -> None:
        raise CanceledError

    with pytest.raises(CanceledError):
        write_archive(io.BytesIO(), *arguments, **facts, on_image=cancel)


def test_an_image_is_encoded_while_the_next_is_made():
    happened: list[str] = []
    result = made_result(3)

    def rendered(number: int) -> np.ndarray:
        happened.append(f"made {number}")
        return result.images[number].pixels

    images = [
        replace(image, render=partial(rendered, number))
        for number, image in enumerate(result.images)
    ]
    write_archive(
        io.BytesIO(),
        replace(result, images=images),
        made_request(),
        job_id="job-1",
        created_at=CREATED_AT,
        on_image=lambda _: happened.append("written"),
    )
    assert happened == ["made 0", "made 1", "written", "made 2", "written", "written"]


def test_layout_is_the_documented_one():
    names = list(contents(archive_bytes(made_result(2), made_request(), include_reference=True)))
    assert names == [
        "metal_nut/train/good/000.png",
        "metal_nut/train/good/001.png",
        "metal_nut/train/metadata.csv",
        "metal_nut/reference/good/000.png",
        "metal_nut/reference/good/001.png",
        "manifest.json",
        "README.md",
    ]


def test_without_reference_no_image_but_the_generated_ones():
    files = contents(archive_bytes(made_result(3), made_request()))
    images = [name for name, data in files.items() if data.startswith(b"\x89PNG")]
    assert images == [f"metal_nut/train/good/{n:03d}.png" for n in range(3)]


def test_more_than_a_thousand_images_keep_their_order():
    pixels = np.zeros((2, 2, 3), dtype=np.uint8)
    image = GeneratedImage(
        render=lambda: pixels, seed=0, source=0, kind="view", transform={}, scores={"s": 0.0}
    )
    result = GenerationResult(
        images=[image] * 1001,
        prompt="",
        report={},
        variance=np.zeros((1, 2, 2), dtype=np.float32),
        size=(2, 2),
    )
    names = [n for n in contents(archive_bytes(result, made_request())) if n.endswith(".png")]
    assert names == sorted(names)
    assert names[-1].endswith("/good/1000.png")


def test_entries_have_one_date_and_pngs_are_stored():
    with zipfile.ZipFile(io.BytesIO(archive_bytes(made_result(), made_request()))) as opened:
        assert opened.testzip() is None
        for entry in opened.infolist():
            assert entry.date_time == (1980, 2, 1, 0, 0, 0)
            stored = entry.compress_type == zipfile.ZIP_STORED
            assert stored == entry.filename.endswith(".png")


def test_unzip_finds_no_fault(tmp_path):
    if shutil.which("unzip") is None:
        missing_tool("unzip is not installed")
    path = tmp_path / "archive.zip"
    path.write_bytes(archive_bytes(made_result(), made_request(), include_reference=True))
    subprocess.run(["unzip", "-tq", str(path)], check=True, capture_output=True)


def test_metadata_names_every_image_with_its_sha256_and_no_empty_cell():
    result = made_result(4)
    files = contents(archive_bytes(result, made_request()))
    rows = rows_of(files)
    assert len(rows) == 4
    for row, image in zip(rows, result.images, strict=True):
        png = files[f"metal_nut/{row['image_path']}"]
        assert png == files[f"metal_nut/train/{row['file_name']}"]
        assert row["sha256"] == hashlib.sha256(png).hexdigest()
        assert (int(row["seed"]), int(row["source"])) == (image.seed, image.source)
        assert (row["label"], row["label_index"], row["split"]) == ("normal", "0", "train")
        for name, score in image.scores.items():
            assert float(row[name]) == pytest.approx(score, abs=1e-6)
        assert all(cell.strip() for cell in row.values())
        assert None not in row


def test_reads_like_an_image_folder(tmp_path):
    """As Hugging Face's imagefolder does it: `file_name` is relative to the table's own folder."""
    with zipfile.ZipFile(io.BytesIO(archive_bytes(made_result(3), made_request()))) as opened:
        opened.extractall(tmp_path)
    tables = list(tmp_path.rglob("metadata.csv"))
    assert [table.relative_to(tmp_path).as_posix() for table in tables] == [
        "metal_nut/train/metadata.csv"
    ]
    with tables[0].open(newline="") as file:
        listed = {tables[0].parent / row["file_name"] for row in csv.DictReader(file)}
    assert listed == set(tmp_path.rglob("*.png"))


def test_an_archive_without_images_still_opens():
    files = contents(archive_bytes(made_result(0), made_request()))
    assert rows_of(files) == []
    assert json.loads(files["manifest.json"])["num_images"] == 0
