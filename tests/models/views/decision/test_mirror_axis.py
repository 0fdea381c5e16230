import torch
from torch import Tensor

from models.views.decision.mirror_axis import mirror_axis
from models.views.showing.part_mask import lone_part_mask
from tests.models.conftest import part_image


def test_the_mirror_axis_of_a_lone_part_is_found():
    for angle in (0, 30, 72, 140):
        image = part_image(angle_deg=angle)
        mask = lone_part_mask(image)
        assert mask is not None
        found = mirror_axis(image, mask).direction_deg
        assert abs((found - angle + 90) % 180 - 90) <= 6


def test_a_part_that_has_an_axis_differs_less_from_its_mirror_image_than_one_that_has_none():
    steps = torch.linspace(-1, 1, 96)
    mask = torch.hypot(steps[:, None], steps) < 0.6
    noise = torch.rand((96, 96), generator=torch.Generator().manual_seed(0))

    def asymmetry(pixels: Tensor) -> float:
        return mirror_axis(torch.where(mask, pixels, 0.5).expand(3, -1, -1), mask).asymmetry

    assert asymmetry((noise + noise.flip(1)) / 2) < 0.1
    assert 0.7 < asymmetry(noise) <= 1.0
    assert asymmetry(torch.full((96, 96), 0.5)) < 0.01
