import pytest
import torch

from models.guard.copies import COPY_CELL_PX, COPY_DIFFERENCE, KnownImages


def image(seed: int) -> torch.Tensor:
    return torch.rand(3, 64, 48, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def known() -> KnownImages:
    images = KnownImages()
    for seed in range(3):
        images.add(image(seed))
    return images


def test_a_known_image_is_a_copy_and_another_is_not(known):
    assert known.difference(image(1)) == 0.0
    assert known.difference(image(7)) > COPY_DIFFERENCE


def test_nothing_is_a_copy_where_nothing_is_known():
    assert KnownImages().difference(image(0)) == 1.0


def test_one_cell_that_differs_is_enough(known):
    changed = image(1)
    changed[:, :COPY_CELL_PX, :COPY_CELL_PX] += 0.02
    assert known.difference(changed) == pytest.approx(0.02, abs=1e-6)
    assert known.difference(image(1) + 0.5 * COPY_DIFFERENCE) < COPY_DIFFERENCE


def test_the_first_are_kept_and_the_others_forgotten(known):
    known.keep_first(1)
    assert len(known) == 1
    assert known.difference(image(0)) == 0.0
    assert known.difference(image(1)) > COPY_DIFFERENCE
