"""A part is found where it lies alone, and is free only where nothing holds it."""

import pytest
import torch
from torch.nn import functional as F

from models.views.showing.part_mask import dilated, free_part_mask, lone_part_mask
from tests.models.conftest import part_image, texture_image


def hung(size: int = 256) -> torch.Tensor:
    image = part_image(angle_deg=20, size=size)
    image[:, : size // 2, size // 2 - 2 : size // 2 + 2] = 0.7
    return image


def with_a_second_piece() -> torch.Tensor:
    image = part_image(angle_deg=20, size=256)
    image[:, 200:245, 10:80] = 0.6
    return image


def blob() -> torch.Tensor:
    """A slow change of light that ends nowhere."""
    steps = torch.linspace(-1, 1, 256)
    return (0.2 + 0.5 * torch.exp(-3 * (steps[:, None] ** 2 + steps**2))).expand(3, -1, -1)


def test_a_texture_has_no_lone_part():
    assert lone_part_mask(texture_image()) is None
    assert free_part_mask(texture_image()) is None


def test_lines_on_a_ground_are_no_part():
    lines = torch.full((3, 128, 128), 0.3)
    lines[:, 10:-10:16, 4:-4] = 0.9
    lines[:, 11:-10:16, 4:-4] = 0.9
    assert lone_part_mask(lines) is None


def test_a_free_part_is_found_whole_and_without_holes():
    image = part_image(angle_deg=20, size=256)
    whole = free_part_mask(image)
    image[:, 120:136, 120:136] = 0.08
    holed = free_part_mask(image)
    assert whole is not None
    assert holed is not None
    for one, other in zip(whole, holed, strict=True):
        assert bool(other[120:136, 120:136].all())
        assert float((one ^ other).float().mean()) < 0.005


@pytest.mark.parametrize(
    "image", [hung(), with_a_second_piece(), blob()], ids=["hung", "another", "blob"]
)
def test_what_hangs_lies_beside_another_or_has_no_outline_is_not_free(image: torch.Tensor):
    assert lone_part_mask(image) is not None
    assert free_part_mask(image) is None


def test_a_part_is_free_at_any_size():
    for size in (96, 256, 500):
        assert free_part_mask(part_image(angle_deg=20, size=size)) is not None


@pytest.mark.parametrize("radius", [1, 5, 30])
def test_a_mask_grows_by_a_square(radius):
    mask = torch.rand(40, 64, generator=torch.Generator().manual_seed(0)) > 0.995
    assert 0 < int(mask.sum()) < 20
    square = F.max_pool2d(mask[None].float(), 2 * radius + 1, 1, radius)[0] > 0.5
    assert torch.equal(dilated(mask, radius), square)


def test_a_dark_side_is_of_the_part():
    """Else it would stay on the ground when the part turns."""
    y, x = torch.meshgrid(torch.arange(256) - 128, torch.arange(256) - 128, indexing="ij")
    part = x.square() + y.square() < 60**2
    grey = torch.where(part, torch.where(x > 34, 0.23, 0.6), 0.1)
    masks = free_part_mask(grey.expand(3, -1, -1))
    assert masks is not None
    _, near = masks
    assert int((part & ~near).sum()) < 0.002 * int(part.sum())


def on_rough_ground() -> tuple[torch.Tensor, torch.Tensor]:
    """A disc with a dark notch, on grain and in a light that runs to the frame; where it is."""
    y, x = torch.meshgrid(torch.arange(256) - 128, torch.arange(256) - 128, indexing="ij")
    part = x.square() + y.square() < 60**2
    noise = 0.04 * torch.randn(256, 256, generator=torch.Generator().manual_seed(0))
    lit = (y < 0) & (x.abs() < 30)
    grey = torch.where(part, 0.75, torch.where(lit, 0.38, 0.1)) + noise
    grey = torch.where((x - 45).square() + (y - 38).square() < 11**2, 0.1, grey)
    return grey.clamp(0, 1).expand(3, -1, -1), part


def test_on_a_word_the_part_is_what_stands_out_of_a_rough_ground():
    image, part = on_rough_ground()
    assert lone_part_mask(image) is not None
    assert free_part_mask(image) is None
    masks = free_part_mask(image, told=True)
    assert masks is not None
    for mask in masks:
        assert float((mask ^ part).float().mean()) < 0.01


def test_what_stands_out_of_the_part_itself_is_a_piece_of_it():
    """Else a hub would turn within its rim."""
    image, part = on_rough_ground()
    y, x = torch.meshgrid(torch.arange(256) - 128, torch.arange(256) - 128, indexing="ij")
    rim = part & (x.square() + y.square() > 40**2)
    assert free_part_mask(torch.where(rim, 0.4, image), told=True) is None


@pytest.mark.parametrize("image", [hung(), blob()], ids=["hung", "blob"])
def test_on_a_plain_ground_a_word_cuts_nothing_off(image: torch.Tensor):
    assert free_part_mask(image, told=True) is None
