import itertools

import numpy as np
import pytest
import torch
from PIL import Image

from models.evaluation.data.dataset import load_image, read_dataset
from models.evaluation.guard_trial.defects import CONTRASTS, KINDS, SIZES
from models.evaluation.guard_trial.trial import CLEAN, Defendant, Judgement, try_guard
from models.evaluation.rows.plain import RowInput
from models.guard import normality
from models.guard.normality import NormalityGuard, RealImage
from models.views.view import to_tensor
from tests.models.accelerator import DEVICE, Accelerator


@pytest.fixture(scope="module")
def judgements(category_folder, features) -> list[Judgement]:
    """A real guard whose bank has the k images and whose threshold comes from other good ones."""
    category = read_dataset(str(category_folder))[0]
    given = category.choose(2, 0)
    images = [load_image(path) for path in given]
    unseen = [load_image(path) for path in category.train if path not in given]
    data = RowInput(images=images, object_name="tile", seed=0, train=category.train)

    def make_defendant(data: RowInput) -> Defendant:
        groups = (data.images, unseen)
        shown = ([RealImage(to_tensor(image, (96, 96))) for image in group] for group in groups)
        guard = NormalityGuard.fit(features, *shown)
        return Defendant(guard, (96, 96), [data.images[0]])

    with pytest.MonkeyPatch.context() as patch:
        # Enough that what is faint in images of this size is so in the enlarged ones.
        patch.setattr(normality, "LEAST_SIDE_PX", 224)
        return list(try_guard(category, data, make_defendant))


def test_every_kind_size_and_contrast_is_planted_into_real_and_generated_images(judgements):
    combinations = set(itertools.product(("real", "generated"), KINDS, SIZES, CONTRASTS))
    planted = [j for j in judgements if j.kind != CLEAN]
    assert {(j.base, j.kind, j.size, j.contrast) for j in planted} == combinations
    assert len(planted) == len(combinations)
    assert all(j.visibility > 0 for j in planted)


def test_images_that_the_guard_knows_pass(judgements):
    known = [j for j in judgements if j.kind == CLEAN and j.base in {"real", "generated"}]
    assert len(known) == 3
    assert all(j.ratio < 1.0 for j in known)


def test_held_back_good_images_are_those_not_given(judgements):
    # 4 training images less the 2 given, and 3 good test images.
    assert sum(j.base == "held-back" for j in judgements) == 5


def test_a_plain_defect_is_rejected_more_often_than_a_faint_one(judgements):
    def rejected(contrast: str) -> float:
        ratios = [j.ratio for j in judgements if j.contrast == contrast and j.size == "large"]
        return float(np.mean([ratio > 1.0 for ratio in ratios]))

    assert rejected("strong") > rejected("faint")
    assert rejected("strong") >= 0.8


def test_a_guard_without_generated_images_is_tried_on_real_ones(category_folder):
    class Blind:
        threshold = 1.0

        def distance(self, images):
            return torch.zeros(len(images))

    category = read_dataset(str(category_folder))[0]
    data = RowInput(images=[Image.new("RGB", (64, 64))], object_name="x", seed=0, train=())
    made = list(try_guard(category, data, lambda _: Defendant(Blind(), (64, 64), [])))
    assert {j.base for j in made} == {"real", "held-back"}
    assert all(j.ratio == 0.0 for j in made)


def test_images_are_judged_where_the_guard_is(category_folder):
    category = read_dataset(str(category_folder))[0]
    images = [load_image(path) for path in category.choose(1, 0)]
    data = RowInput(images=images, object_name="tile", seed=0, train=category.train)

    class Elsewhere:
        threshold = 1.0

        def distance(self, images: torch.Tensor) -> torch.Tensor:
            assert images.device == DEVICE
            return images.amax(dim=(1, 2, 3))

    with Accelerator():
        made = list(
            try_guard(category, data, lambda _: Defendant(Elsewhere(), (64, 64), [], DEVICE))
        )
    assert made
