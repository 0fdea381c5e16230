from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from models.evaluation.experiment import Plan, Settings
from models.evaluation.fidelity.run import write_fidelity
from models.evaluation.fidelity.trial import FidelityTrial
from models.evaluation.rows.plain import RowInput

SETTINGS = Settings(num_images=3, image_size=96, coreset_size=200, num_coresets=1)
ME = "tests.models.evaluation.fidelity.test_trial"


def noise(data: RowInput) -> list[Image.Image]:
    rng = np.random.default_rng(data.seed)
    made = [rng.integers(0, 256, (96, 96, 3)).astype(np.uint8) for _ in range(data.num_images)]
    return [*data.images, *map(Image.fromarray, made)]


def nothing(data: RowInput) -> list[Image.Image]:
    return list(data.images)


@pytest.fixture
def trial(tmp_path, networks) -> FidelityTrial:
    return FidelityTrial(tmp_path, networks, SETTINGS)


def test_the_other_half_looks_like_the_line_and_finds_stains(trial, tiles):
    for cell in trial.measure(Plan(tiles, 1, 0, "real-half")):
        assert cell.precision > 0.7
        assert cell.coverage > 0.7
        assert cell.image_auroc == 1.0
        assert cell.pixel_auroc > 0.9
        assert 0 < cell.pro <= 1
        assert (cell.num_images, cell.row_s) == (7, 0.0)


def test_noise_does_not(trial, tiles):
    made = trial.measure(Plan(tiles, 1, 0, f"{ME}:noise"))
    given = trial.measure(Plan(tiles, 1, 0, "given"))
    for bad, floor in zip(made, given, strict=True):
        assert bad.precision == bad.coverage == 0.0
        assert bad.coverage_with_given == floor.coverage == floor.coverage_with_given > 0


def test_a_row_that_made_nothing_is_measured_all_the_same(trial, tiles):
    for cell in trial.measure(Plan(tiles, 1, 0, f"{ME}:nothing")):
        assert (cell.precision, cell.coverage, cell.num_images) == (0.0, 0.0, 0)
        assert cell.coverage_with_given > 0
        assert cell.image_auroc == 1.0


def test_a_measured_plan_is_finished_on_both_networks(trial, tiles, networks):
    done, open_ = Plan(tiles, 1, 0, "small"), Plan(tiles, 1, 1, "small")
    cells = trial.measure(done)
    assert [cell.network for cell in cells] == [network.name for network in networks]
    again = FidelityTrial(trial.folder, networks, SETTINGS)
    assert again.finished([done, open_]) == {done: cells}
    # With one of its cells alone a plan is not finished.
    trial.cells.path.write_text("".join(trial.cells.path.read_text().splitlines(True)[:-1]))
    assert again.finished([done]) == {}


def test_other_settings_make_cells_of_their_own(trial, tiles, networks):
    small, given = Plan(tiles, 1, 0, "small"), Plan(tiles, 1, 0, "given")
    trial.measure(small)
    cells = trial.measure(given)
    more = FidelityTrial(trial.folder, networks, replace(SETTINGS, num_images=4))
    # Nothing was made for the given images.
    assert more.finished([small, given]) == {given: cells}
    larger = FidelityTrial(trial.folder, networks, replace(SETTINGS, coreset_size=300))
    assert larger.finished([small, given]) == {}


def test_without_a_detector_there_is_no_auroc(tmp_path, tiles, networks):
    trial = FidelityTrial(tmp_path, networks[:1], replace(SETTINGS, detector="none"))
    plan = Plan(tiles, 1, 0, "small")
    (cell,) = trial.measure(plan)
    assert (cell.image_auroc, cell.pixel_auroc, cell.pro) == (None, None, None)
    assert not (tmp_path / "features").exists()
    assert trial.finished([plan]) == {plan: [cell]}


def test_the_trial_comes_with_its_files_and_goes_on_where_it_was(tmp_path, tiles, networks):
    quick = replace(SETTINGS, detector="none")
    plans = [Plan(tiles, 1, seed, row) for seed in (0, 1) for row in ("given", "small")]
    page = write_fidelity(FidelityTrial(tmp_path, networks[:1], quick), plans, "the command")
    text = page.read_text()
    assert "4 cells" in text
    assert "the command" in text
    assert (tmp_path / "fidelity.csv").exists()
    with Image.open(tmp_path / "sheet-tile-1.png") as sheet:
        assert sheet.width > 3 * 200
    cells = (tmp_path / "fidelity-cells.csv").read_text()
    again = write_fidelity(FidelityTrial(tmp_path, networks[:1], quick), plans, "the command")
    assert again.read_text() == text
    assert (tmp_path / "fidelity-cells.csv").read_text() == cells
