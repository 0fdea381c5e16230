import dataclasses

import pytest

from models.evaluation.cells import ROOT, Cell, CellFile, detector_files, digest, method_files

CELL = Cell(
    category="tile",
    shots=1,
    seed=0,
    row="real",
    detector="patchcore",
    key="abc",
    image_auroc=1 / 3,
    pixel_auroc=None,
    pro=0.25,
    num_train=1,
    row_s=0.1,
    detector_s=2.5,
)


@pytest.fixture
def file(tmp_path) -> CellFile[Cell]:
    return CellFile(tmp_path / "cells.csv", Cell)


def test_cells_come_back_as_they_were(file):
    cells = [dataclasses.replace(CELL, seed=seed) for seed in range(3)]
    for cell in cells:
        file.append(cell)
    assert file.read() == cells


def test_no_file_has_no_cells(file):
    assert file.read() == []


@pytest.mark.parametrize("cut", [1, 10, 30])
def test_a_line_cut_short_is_measured_again(file, cut):
    file.append(CELL)
    file.append(dataclasses.replace(CELL, seed=1))
    text = file.path.read_text()
    file.path.write_text(text[:-cut])
    assert file.read() == [CELL]
    file.append(dataclasses.replace(CELL, seed=2))
    assert [cell.seed for cell in file.read()] == [0, 2]


def test_the_digest_follows_settings_and_contents(tmp_path):
    code = tmp_path / "code.py"
    code.write_text("a")
    first = digest({"x": 1, "y": 2}, [code])
    assert digest({"y": 2, "x": 1}, [code]) == first
    assert digest({"x": 1, "y": 3}, [code]) != first
    code.write_text("b")
    assert digest({"x": 1, "y": 2}, [code]) != first


def below_root(paths) -> set[str]:
    assert all(path.is_file() for path in paths)
    return {str(path.relative_to(ROOT)) for path in paths}


def test_generated_images_depend_on_the_method_and_its_weights_alone():
    files = below_root(method_files())
    for folder in ("job", "prompt", "generator", "integrator", "views", "guard", "encoder"):
        assert {str(p.relative_to(ROOT)) for p in (ROOT / folder).glob("*.py")} <= files
    assert {"generator/sampling.py", "guard/normality.py", "features/nearest.py"} <= files
    assert {
        "weights/devise/model.safetensors",
        "weights/vqgan/config.json",
        "weights/vqgan/diffusion_pytorch_model.safetensors",
    } <= files
    assert not [name for name in files if name.endswith((".md", ".png"))]
    assert not [name for name in files if name.startswith(("evaluation/", "training/"))]


def test_every_figure_depends_on_the_detector_its_features_and_the_data():
    files = below_root(detector_files())
    assert {
        "evaluation/detector/patchcore.py",
        "evaluation/detector/metrics.py",
        "evaluation/data/dataset.py",
        "evaluation/data/testset.py",
        "evaluation/rows/plain.py",
        "features/nearest.py",
        "features/patches.py",
    } <= files
    assert not [name for name in files if name.startswith(("generator/", "guard/", "job/"))]
