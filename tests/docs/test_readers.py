"""What the archive's card says of readers is so: its lines run, in environments of their own."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from zipfile import ZipFile

import pytest

from tests.conftest import missing_tool
from tests.workers.archive.test_write import archive_bytes, made_request, made_result

pytestmark = pytest.mark.slow

NUM_IMAGES = 3
DATASETS = Path(sys.prefix) / "datasets" / "bin" / "python"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with ZipFile(io.BytesIO(archive_bytes(made_result(NUM_IMAGES), made_request()))) as archive:
        archive.extractall(folder)
    return folder


def lines_of(card: Path, heading: str) -> str:
    """The code under a heading of the card."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", card.read_text(), re.M | re.S)
    (code,) = re.findall(r"```python\n(.*?)```", section, re.S)
    return str(code)


def test_hugging_faces_imagefolder_reads_images_and_table(unpacked: Path, tmp_path: Path):
    if not DATASETS.exists():
        missing_tool("datasets is not installed: `make` puts it there")
    lines = lines_of(unpacked / "README.md", "Hugging Face datasets")
    told = "\n".join(
        [
            "import json",
            "rows = [{**row, 'image': row['image'].size} for row in dataset]",
            "print(json.dumps({'features': list(dataset.features), 'rows': rows}))",
        ]
    )
    answer = subprocess.run(
        [DATASETS, "-c", f"{lines}\n{told}"],
        cwd=unpacked,
        env={"PATH": os.environ["PATH"], "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    result = made_result(NUM_IMAGES)
    assert len(found["rows"]) == NUM_IMAGES
    assert found["features"][0] == "image"
    for row, image in zip(found["rows"], result.images, strict=True):
        assert tuple(row["image"]) == result.size
        assert (row["label"], row["label_index"], row["split"]) == ("normal", 0, "train")
        assert (row["seed"], row["source"]) == (image.seed, image.source)
        assert row["guard_distance"] == pytest.approx(image.scores["guard_distance"], abs=1e-5)


class Recorded:
    """Stands for FiftyOne, which is not installed (1 GB and a MongoDB): keeps what it is told."""

    def __init__(self, **fields: object):
        self.__dict__.update(fields)


def test_fiftyones_lines_name_every_image_and_what_is_known_of_it(
    unpacked: Path, monkeypatch: pytest.MonkeyPatch
):
    samples: list[Any] = []
    fiftyone = ModuleType("fiftyone")
    vars(fiftyone).update(
        Dataset=lambda _: SimpleNamespace(add_sample=samples.append),
        Sample=Recorded,
        Classification=Recorded,
    )
    monkeypatch.setitem(sys.modules, "fiftyone", fiftyone)
    monkeypatch.chdir(unpacked)
    exec(lines_of(Path("README.md"), "FiftyOne"), {})
    paths = {Path(sample.filepath) for sample in samples}
    assert paths == set(Path().rglob("train/good/*.png"))
    assert len(paths) == NUM_IMAGES
    for sample in samples:
        assert (sample.tags, sample.ground_truth.label) == (["train", "synthetic"], "normal")
        assert sample.guard_distance == pytest.approx(1 / 3, abs=1e-5)
