"""A part that is as bright as its ground is told by its outline."""

import pytest
import torch
from torch import Tensor

from models.views.showing.free_part import free_part_mask
from models.views.showing.outlined_part import outlined_part
from models.views.showing.part_mask import lone_part_mask
from tests.models.conftest import part_image, texture_image

GROUND = 0.5


def distance() -> Tensor:
    """Of each pixel from the picture's middle, (256, 256)."""
    steps = torch.arange(256) - 127.5
    return torch.hypot(steps[:, None], steps[None, :])


def ring(*, gap_px: int = 0) -> tuple[Tensor, Tensor]:
    """A disc like its ground but for a dark rim with a gap, and a hub; where the disc is."""
    part = distance() < 80
    rim = part & (distance() > 76)
    rim[:128, 128 - gap_px // 2 : 128 + (gap_px + 1) // 2] = False
    grey = torch.where(rim | (distance() < 20), 0.3, GROUND)
    noise = 0.004 * torch.randn(256, 256, generator=torch.Generator().manual_seed(0))
    return (grey + noise).expand(3, -1, -1), part


def differs(mask: Tensor, part: Tensor) -> float:
    return float((mask ^ part).float().mean())


@pytest.mark.parametrize("gap_px", [0, 3])
def test_a_part_like_its_ground_is_what_its_outline_encloses(gap_px: int):
    image, part = ring(gap_px=gap_px)
    assert lone_part_mask(image) is None
    masks = free_part_mask(image)
    assert masks is not None
    itself, near = masks
    # Where in its rim a part ends is no matter: what is near it goes along.
    assert differs(itself, part) < 0.05
    assert differs(near, part) < 0.02


def test_an_outline_that_is_open_encloses_nothing():
    image, _ = ring(gap_px=30)
    assert outlined_part(image) is None


@pytest.mark.parametrize(("contrast", "is_found"), [(0.022, False), (0.1, True)])
def test_an_outline_is_one_at_more_than_one_strength_of_its_edges(contrast: float, is_found: bool):
    rim = (distance() < 80) & (distance() > 76)
    image = torch.where(rim, GROUND - contrast, GROUND).expand(3, -1, -1)
    assert (outlined_part(image) is not None) == is_found


def test_its_shadow_lies_near_it_and_is_not_the_part():
    image, part = ring()
    image = image.clone()
    shadow = ~part & (torch.roll(distance(), (5, 5), (0, 1)) < 84)
    image[:, shadow] -= 0.08
    masks = outlined_part(image)
    assert masks is not None
    itself, near = masks
    assert differs(itself, part) < 0.05
    assert not bool(itself[shadow].any())
    assert bool(near[part | shadow].all())


def test_a_side_that_looks_like_the_ground_is_of_the_part():
    """Else it would stay on the ground when the part turns."""
    part = distance() < 80
    dark = part & (torch.arange(256)[:, None] > 170)
    grey = torch.where(part & ~dark, 0.9, GROUND)
    edge = dark & (distance() > 77)
    image = torch.where(edge, 0.56, grey).expand(3, -1, -1)
    masks = free_part_mask(image)
    assert masks is not None
    _, near = masks
    assert bool(near[part].all())


def hung() -> Tensor:
    image = ring()[0].clone()
    image[:, :60, 126:130] = 0.3
    return image


def beside_another() -> Tensor:
    image = ring()[0].clone()
    image[:, 215:245, 10:80] = 0.3
    return image


@pytest.mark.parametrize("image", [hung(), beside_another(), texture_image()])
def test_what_hangs_or_lies_beside_another_is_not_alone(image: Tensor):
    assert outlined_part(image) is None


@pytest.mark.parametrize("size", [96, 256, 500])
def test_a_part_of_any_brightness_is_found_at_any_size(size: int):
    masks = outlined_part(part_image(angle_deg=20, size=size))
    assert masks is not None
    itself, near = masks
    assert bool(near[itself].all())
