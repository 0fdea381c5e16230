import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from models.evaluation.data.dataset import read_dataset
from models.evaluation.experiment import Experiment, Plan, Settings
from models.evaluation.records import read_records
from models.evaluation.rows.plain import RowInput
from models.evaluation.study.correlation import GeneratedSet
from models.evaluation.trials import defendant, run_guard, run_study
from models.views.view import to_tensor
from tests.models.conftest import small_guard
from tests.models.evaluation.conftest import tile

TINY = Settings(coreset_size=200, num_images=1, image_size=64, effort="draft")


@pytest.fixture(scope="module", autouse=True)
def _small_guard() -> Iterator[None]:
    with small_guard():
        yield


@pytest.fixture(scope="module")
def plan(category_folder) -> Plan:
    return Plan(read_dataset(str(category_folder))[0], 1, 0, "views")


@pytest.fixture(scope="module")
def study(plan, features, tmp_path_factory) -> Path:
    """What the study leaves of one plan."""
    folder = tmp_path_factory.mktemp("study")
    run_study(Experiment(folder, features, TINY), [plan])
    return folder


@pytest.fixture
def experiment(study, features, tmp_path) -> Experiment:
    """One whose study is done."""
    return Experiment(shutil.copytree(study, tmp_path / "study"), features, TINY)


def test_the_guard_on_trial_is_that_of_the_request():
    data = RowInput(
        images=[Image.fromarray(tile(0, side=64))],
        object_name="tile",
        seed=0,
        train=(),
        num_images=2,
        image_size=64,
        effort="draft",
    )
    accused = defendant(data)
    assert accused.size == (64, 64)
    assert accused.guard.threshold > 0
    pixels = torch.stack([to_tensor(image, accused.size) for image in accused.generated])
    assert (accused.guard.distance(pixels) <= accused.guard.threshold + 1e-6).all()


@pytest.mark.slow
def test_the_study_measures_its_sets_once(plan, experiment):
    page = (experiment.folder / "study.md").read_text()
    (made,) = read_records(experiment.folder / "study.csv", GeneratedSet)
    assert (made.category, made.shots, made.variant) == ("tile", 1, "views")
    assert -1 <= made.uplift <= 1
    assert made.similarity > 0.5
    assert made.visual_variance == pytest.approx(0.0, abs=1e-6)  # one image varies in nothing
    assert "1 generated sets" in page
    (part,) = (experiment.folder / "parts").iterdir()
    written = part.stat().st_mtime_ns
    assert run_study(experiment, [plan]).read_text() == page
    assert part.stat().st_mtime_ns == written


@pytest.mark.slow
def test_the_study_and_the_table_measure_a_set_once(plan, experiment):
    real = Plan(plan.category, 1, 0, "real")
    cells = experiment.finished([real, plan])
    (made,) = read_records(experiment.folder / "study.csv", GeneratedSet)
    assert made.uplift == cells[plan].image_auroc - cells[real].image_auroc
    assert experiment.measure(plan).image_auroc == cells[plan].image_auroc

    (part,) = (experiment.folder / "parts").iterdir()
    part.unlink()
    before = experiment.cells.read()
    run_study(experiment, [plan])
    assert experiment.cells.read() == before


@pytest.mark.slow
def test_the_guards_trial_writes_its_judgements(plan, features, tmp_path):
    page = run_guard(Experiment(tmp_path, features, TINY), [plan])
    with (tmp_path / "guard.csv").open() as file:
        bases = {record["base"] for record in csv.DictReader(file)}
    assert {"real", "held-back"} <= bases
    assert "## 1 real image" in page.read_text()
    assert (tmp_path / "guard-1.png").exists()
