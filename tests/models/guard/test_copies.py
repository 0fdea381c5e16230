import pytest
import torch

from models.guard.copies import (
    COPY_CELL_PX,
    COPY_DIFFERENCE,
    COPY_SHARE,
    LEAST_CELL_PX,
    KnownImages,
    copy_difference,
)


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
    changed[:, :LEAST_CELL_PX, :LEAST_CELL_PX] += 0.02
    assert known.difference(changed) == pytest.approx(0.02, abs=1e-6)
    assert known.difference(image(1) + 0.5 * COPY_DIFFERENCE) < COPY_DIFFERENCE


def test_the_first_are_kept_and_the_others_forgotten(known):
    known.keep_first(1)
    assert len(known) == 1
    assert known.difference(image(0)) == 0.0
    assert known.difference(image(1)) > COPY_DIFFERENCE


def alike(*differences: float) -> torch.Tensor:
    """Images whose every cell is brighter than the last one's by so much."""
    return torch.stack(
        [0.25 + image(0) * 0.5 + sum(differences[:n]) for n in range(len(differences) + 1)]
    )


def test_real_images_that_are_all_but_alike_say_what_a_copy_is():
    assert copy_difference(alike(0.002, 0.003, 0.003)) == pytest.approx(0.002, abs=1e-6)


@pytest.mark.parametrize(
    "images",
    [
        torch.stack([image(n) for n in range(4)]),
        alike(),
        alike(0.0005),
        torch.stack([*alike(0.0005), *(image(n) for n in range(1, 5))]),
    ],
    ids=["unlike", "one", "one in two files", "one in two files among others"],
)
def test_other_images_leave_it_as_it_is(images: torch.Tensor):
    assert copy_difference(images) == COPY_DIFFERENCE


@pytest.mark.parametrize("ground", [0.0, 1.0], ids=["dark", "bright"])
def test_where_the_light_is_seen_less_a_copy_is_nearer(ground: float):
    shades = ground + (0.1 if ground == 0.0 else -0.1) * torch.ones(1, 3, 64, 48)
    assert copy_difference(shades) == pytest.approx(0.1 * COPY_SHARE, abs=1e-6)
    spotted = shades.clone()
    spotted[:, :, :LEAST_CELL_PX, :LEAST_CELL_PX] = 1.0 - ground
    assert copy_difference(spotted) == COPY_DIFFERENCE


def test_a_large_image_has_cells_of_a_fixed_size():
    large = torch.full((3, 400, 600), 0.5)
    known, changed = KnownImages(), large.clone()
    known.add(large)
    changed[:, :COPY_CELL_PX, :COPY_CELL_PX] += 0.02
    assert known.difference(changed) == pytest.approx(0.02, abs=1e-5)
