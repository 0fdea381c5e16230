import csv
import hashlib
import io
import json
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from app.jobs.inputs import InputImage, InputWarning
from models.job.request import GeneratedImage, GenerationRequest, GenerationResult
from tests.app.http.hostile_requests import ODD_NAMES
from tests.conftest import missing_tool
from workers.archive.write import slugify, write_archive

CREATED_AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def made_request(num_inputs: int = 2, **fields) -> GenerationRequest:
    draw = np.random.default_rng(5)
    images = [
        Image.fromarray(draw.integers(0, 256, (40, 48, 3), dtype=np.uint8))
        for _ in range(num_inputs)
    ]
    return GenerationRequest(images=images, **{"object_name": "metal nut", "seed": 7, **fields})


def made_result(num_images: int = 3, **report) -> GenerationResult:
    draw = np.random.default_rng(6)
    images = [
        GeneratedImage(
            render=partial(np.copy, draw.integers(0, 256, (32, 48, 3), dtype=np.uint8)),
            seed=100 + n,
            source=n % 2,
            kind=("view", "varied")[n % 2],
            transform={"angle_deg": 1.5 * n, "sigma_scale": 2.0 * (n % 2)},
            scores={
                "prompt_cosine": 0.25 + n / 1000,
                "guard_distance": 1 / 3,
                "nearest_distance": 0.5,
            },
        )
        for n in range(num_images)
    ]
    return GenerationResult(
        images=images,
        prompt="a metal nut with a hole",
        report={
            "prompt": {"text": "a metal nut with a hole", "candidates": [{"text": "a nut"}]},
            "rounds": [{"cosine": 0.2}, {"cosine": 0.3}],
            "rejections": {"defect": 2},
            "models": {"encoder": {"name": "embedded", "revision": "1"}},
            "timings_s": {"adapt": 1.25},
            **report,
        },
        variance=np.zeros((2, 32, 48), dtype=np.float32),
        size=(48, 32),
    )


def archive_bytes(
    result: GenerationResult,
    request: GenerationRequest,
    *,
    job_id: str = "job-1",
    created_at: datetime = CREATED_AT,
    include_reference: bool = False,
) -> bytes:
    file = io.BytesIO()
    write_archive(
        file,
        result,
        request,
        job_id=job_id,
        created_at=created_at,
        include_reference=include_reference,
    )
    return file.getvalue()


def contents(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def rows_of(files: dict[str, bytes], path: str = "metal_nut/train/metadata.csv") -> list[dict]:
    return list(csv.DictReader(io.StringIO(files[path].decode(), newline="")))


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


def test_two_runs_differ_in_the_manifests_run_alone():
    first = contents(archive_bytes(made_result(), made_request()))
    second = contents(
        archive_bytes(
            made_result(timings_s={"adapt": 9.0}),
            made_request(),
            job_id="job-2",
            created_at=datetime(2027, 1, 1, tzinfo=UTC),
        )
    )
    manifests = [json.loads(files.pop("manifest.json")) for files in (first, second)]
    assert first == second
    runs = [manifest.pop("run") for manifest in manifests]
    assert manifests[0] == manifests[1]
    assert runs[0] != runs[1]
    assert runs[0] == {
        "job_id": "job-1",
        "created_at": "2026-03-01T12:30:00+00:00",
        "timings_s": {"adapt": 1.25},
    }


def test_the_manifest_says_how_the_images_were_understood():
    told = [
        InputImage(width=96, height=40, bit_depth=12, channels=1, orientation=6, white=4095),
        InputImage(
            width=48,
            height=40,
            bit_depth=8,
            channels=3,
            orientation=1,
            white=255,
            warnings=[InputWarning(code="duplicate", detail="Seen before.", same_as=0)],
        ),
    ]
    file = io.BytesIO()
    write_archive(
        file,
        made_result(),
        made_request(),
        job_id="job-1",
        created_at=CREATED_AT,
        inputs=told,
        bit_depth=12,
    )
    asked = json.loads(contents(file.getvalue())["manifest.json"])["request"]
    assert asked["bit_depth"] == 12
    assert [image["file"] for image in asked["images"]] == [
        image.model_dump(mode="json") for image in told
    ]
    assert [image["width_px"] for image in asked["images"]] == [48, 48]


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


def text_chunks(png: bytes) -> dict[str, str]:
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        return dict(image.text)


@pytest.mark.parametrize(
    ("preset", "kind", "source_type", "said"),
    [
        ("goodmany", "view", "algorithmicallyEnhanced", "by a program."),
        ("varied", "view", "algorithmicallyEnhanced", "by a program."),
        ("varied", "varied", "compositeWithTrainedAlgorithmicMedia", "varied by a trained model"),
        ("paper", "varied", "trainedAlgorithmicMedia", "made by a trained model"),
    ],
)
def test_every_generated_png_says_that_it_is_synthetic_and_how_it_was_made(
    preset: str, kind: str, source_type: str, said: str
):
    result = made_result(3)
    result = replace(result, images=[replace(image, kind=kind) for image in result.images])
    files = contents(archive_bytes(result, made_request(preset=preset)))
    pictures = [data for path, data in files.items() if path.endswith(".png")]
    assert len(pictures) == 3
    for data in pictures:
        chunks = text_chunks(data)
        assert b"iTXtXML:com.adobe.xmp\0\0\0\0\0" in data
        assert chunks["Comment"].startswith("Synthetic image: ")
        assert said in chunks["Comment"]
        xmp = ElementTree.fromstring(chunks["XML:com.adobe.xmp"])
        source = xmp.find(".//{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType")
        assert source is not None
        assert source.text == f"http://cv.iptc.org/newscodes/digitalsourcetype/{source_type}"


def test_reference_images_keep_their_pixels_and_nothing_else_of_their_file():
    uploaded = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "taken at a secret place"
    original = made_request(1).images[0]
    original.save(uploaded, format="PNG", exif=exif)
    with Image.open(uploaded) as image:
        image.load()
        request = GenerationRequest(images=[image], object_name="nut")
        files = contents(archive_bytes(made_result(1), request, include_reference=True))
    reference = files["nut/reference/good/000.png"]
    assert b"secret" not in reference
    assert text_chunks(reference) == {}
    with Image.open(io.BytesIO(reference)) as read:
        assert np.array_equal(np.asarray(read), np.asarray(original))


def test_manifest_tells_request_models_and_images():
    request = made_request(num_images=5, invariances=frozenset({"shift", "rotate"}))
    manifest = json.loads(contents(archive_bytes(made_result(3), request))["manifest.json"])
    assert manifest["schema_version"] == "1.0"
    assert manifest["request"]["invariances"] == ["rotate", "shift"]
    assert (manifest["num_images_requested"], manifest["num_images"]) == (5, 3)
    assert manifest["prompt"]["candidates"] == [{"text": "a nut"}]
    assert manifest["models"]["encoder"] == {"name": "embedded", "revision": "1"}
    assert manifest["rejections"] == {"defect": 2}
    assert [image["file"] for image in manifest["images"]] == [
        f"metal_nut/train/good/{n:03d}.png" for n in range(3)
    ]
    assert {"goodmany", "python", "torch"} <= set(manifest["versions"])
    digest = hashlib.sha256(np.asarray(request.images[0]).tobytes()).hexdigest()
    assert manifest["request"]["images"][0]["pixels_sha256"] == digest


def test_a_number_that_json_has_not_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        archive_bytes(made_result(guard={"threshold": float("inf")}), made_request())


def test_an_archive_without_images_still_opens():
    files = contents(archive_bytes(made_result(0), made_request()))
    assert rows_of(files) == []
    assert json.loads(files["manifest.json"])["num_images"] == 0


def test_card_names_the_paths_and_tells_a_shortfall():
    files = contents(archive_bytes(made_result(3), made_request(num_images=5)))
    card = files["README.md"].decode()
    assert 'root="metal_nut"' in card
    assert "5 were asked for" in card
    assert "\n2 of them are views of a real image as they are" in card
    assert "reference/good" not in card
    for block in re.findall(r"```python\n(.*?)```", card, flags=re.DOTALL):
        compile(block, "README.md", "exec")
    full = contents(archive_bytes(made_result(3), made_request(num_images=3)))["README.md"]
    assert b"were asked for" not in full


@pytest.mark.parametrize(
    ("object_name", "slug"),
    [
        ("bottle", "bottle"),
        ("Metal Nut", "metal_nut"),
        ("  ..metal--nut!! ", "metal_nut"),
        ("Größe M8", "grosse_m8"),
        ("ＦＵＬＬ", "full"),
        ("../../etc/passwd", "etc_passwd"),
        ("C:\\temp\\x", "c_temp_x"),
        ("a\0b\nc", "a_b_c"),
        ("CON", "con_object"),
        ("com1", "com1_object"),
        ("lpt¹", "lpt1_object"),
        ("console", "console"),
        ("x" * 200, "x" * 64),
        ("x" * 63 + " y", "x" * 63),
    ],
)
def test_slug(object_name, slug):
    assert slugify(object_name) == slug


@pytest.mark.parametrize("object_name", ["螺丝", "...", "", "   ", "🔩", "гайка"])
def test_a_name_without_ascii_letters_gets_a_slug_of_its_own(object_name):
    slug = slugify(object_name)
    assert re.fullmatch(r"object_[0-9a-f]{8}", slug)
    assert slug != slugify("螺母")


@pytest.mark.parametrize("object_name", ["/abs", "a/b", "NUL", "ｃｏｎ", "..", *ODD_NAMES])
def test_no_name_leaves_the_archives_root(object_name, tmp_path):
    files = contents(archive_bytes(made_result(1), made_request(object_name=object_name)))
    for path in files:
        assert (tmp_path / path).resolve().is_relative_to(tmp_path)
        assert Path(path).parts[0] in {slugify(object_name), "manifest.json", "README.md"}
        assert re.fullmatch(r"[A-Za-z0-9_./]+", path)
