import numpy as np
import pytest
import torch

from models.evaluation import experiment as module
from models.evaluation.data.dataset import Category, read_dataset
from models.evaluation.detector.metrics import auroc
from models.evaluation.experiment import Experiment, Plan, Settings, plan

SMALL = Settings(coreset_size=300)


@pytest.fixture(scope="module")
def category(category_folder) -> Category:
    return read_dataset(str(category_folder))[0]


@pytest.fixture
def experiment(tmp_path, features) -> Experiment:
    return Experiment(tmp_path, features, SMALL)


def test_a_plan_has_every_seed_and_one_ceiling(category):
    plans = plan([category], ["full", "real", "augment"], [1, 2], 3)
    assert len(plans) == len(set(plans)) == 1 + 2 * 2 * 3
    assert plans[0] == Plan(category, 0, 0, "full")


def test_rows_of_the_same_real_images_follow_each_other_and_share_them(experiment, category):
    plans = plan([category], ["real", "augment"], [1, 2], 2)
    draws = [(p.shots, p.seed) for p in plans]
    assert draws == [(1, 0), (1, 0), (1, 1), (1, 1), (2, 0), (2, 0), (2, 1), (2, 1)]
    first, second, third = (experiment.row_input(p) for p in plans[:3])
    assert first is second
    assert third is not first


def test_a_green_stain_is_found_on_pixels_too(experiment, category):
    cell = experiment.measure(Plan(category, 1, 0, "real"))
    assert (cell.image_auroc, cell.num_train, cell.detector) == (1.0, 1, "patchcore")
    assert cell.pixel_auroc > 0.95
    assert cell.pro > 0.7
    assert cell.row_s >= 0
    assert cell.detector_s > 0


def test_a_figure_is_the_mean_over_the_coresets(experiment, category):
    current = Plan(category, 1, 0, "augment")
    test, images = experiment.test_set(category), experiment.training_images(current)
    scores = experiment.scores(images, current, test)
    assert len(scores) == SMALL.num_coresets
    assert not torch.equal(scores[0].images, scores[1].images)
    each = [auroc(test.labels, one.images.numpy()) for one in scores]
    assert experiment.measure(current).image_auroc == pytest.approx(sum(each) / len(each))


def test_a_bank_that_holds_every_patch_is_drawn_once(tmp_path, features, category):
    roomy = Experiment(tmp_path, features, Settings(coreset_size=10_000))
    current = Plan(category, 1, 0, "real")
    images = roomy.training_images(current)
    assert len(roomy.scores(images, current, roomy.test_set(category))) == 1


def test_a_measured_cell_is_finished_and_another_is_not(experiment, category, features):
    done, open_ = Plan(category, 1, 0, "real"), Plan(category, 1, 1, "real")
    cell = experiment.measure(done)
    assert Experiment(experiment.folder, features, SMALL).finished([done, open_]) == {done: cell}


def test_other_settings_make_a_cell_of_their_own(experiment, category, features):
    current = Plan(category, 1, 0, "real")
    experiment.measure(current)
    other = Experiment(experiment.folder, features, Settings(coreset_size=200))
    assert other.finished([current]) == {}


def test_settings_of_the_generator_leave_plain_rows_alone(experiment, category, features):
    current = Plan(category, 1, 0, "real")
    experiment.measure(current)
    other = Experiment(experiment.folder, features, Settings(coreset_size=300, num_images=3))
    assert list(other.finished([current])) == [current]
    generated = Plan(category, 1, 0, "goodmany")
    assert experiment.identity(generated) != other.identity(generated)


def test_changed_code_makes_a_cell_of_its_own(
    experiment, category, features, tmp_path, monkeypatch
):
    weights = tmp_path / "weights.bin"
    weights.write_text("one")
    monkeypatch.setattr(module, "method_files", lambda: [weights])
    before = Experiment(tmp_path, features, SMALL)
    weights.write_text("two")
    after = Experiment(tmp_path, features, SMALL)
    generated, plain = Plan(category, 1, 0, "goodmany"), Plan(category, 1, 0, "real")
    assert before.identity(generated) != after.identity(generated)
    assert before.identity(plain) == after.identity(plain)


def test_another_detector_makes_every_cell_anew(experiment, category, monkeypatch, tmp_path):
    code = tmp_path / "detector.py"
    code.write_text("one")
    monkeypatch.setattr(module, "detector_files", lambda: [code])
    before = Experiment(tmp_path, experiment.features, SMALL)
    code.write_text("two")
    after = Experiment(tmp_path, experiment.features, SMALL)
    for row in ("real", "goodmany"):
        current = Plan(category, 1, 0, row)
        assert before.identity(current) != after.identity(current)


def test_the_seed_decides_the_figures(experiment, category):
    first, again, other = (experiment.measure(Plan(category, 2, s, "real")) for s in (0, 0, 1))
    assert (first.pixel_auroc, first.pro) == (again.pixel_auroc, again.pro)
    assert first.pixel_auroc != other.pixel_auroc


def test_the_full_row_trains_on_everything(experiment, category):
    assert len(experiment.training_images(Plan(category, 0, 0, "full"))) == 4


def test_a_row_may_be_plugged_in(experiment, category):
    experiment.rows["twice"] = lambda data: [*data.images, *data.images]
    assert experiment.measure(Plan(category, 1, 0, "twice")).num_train == 2


def test_maps_of_the_first_seed_are_kept(experiment, category):
    first, second = Plan(category, 1, 0, "real"), Plan(category, 1, 1, "real")
    experiment.measure(first)
    assert np.load(experiment.maps_file(first)).shape == (6, 28, 28)
    assert experiment.maps_file(first) == experiment.maps_file(second)
