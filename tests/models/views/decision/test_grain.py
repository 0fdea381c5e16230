import pytest
import torch

from models.views.decision.grain import grain_of
from models.views.showing.warp import apply_view
from models.views.view import View
from tests.models.conftest import texture_image


def turned(angle_deg: float) -> torch.Tensor:
    image = apply_view(texture_image(size=192), View(angle_deg=angle_deg), (192, 192))
    return image[:, 40:-40, 40:-40]


@pytest.mark.parametrize("angle_deg", [0.0, 30.0, 75.0, 140.0])
def test_the_grain_is_found_along_its_lines(angle_deg: float):
    grain = grain_of(turned(angle_deg)[None])
    assert grain.is_oriented
    # Positive angles of a view turn what it shows counter-clockwise; the lines stood upright.
    assert abs((grain.angle_deg - 90 - angle_deg + 90) % 180 - 90) < 6


def test_noise_has_no_grain():
    noise = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    assert not grain_of(noise).is_oriented
    assert grain_of(noise).forbids == frozenset()


def test_images_whose_grains_differ_have_none_in_common():
    images = torch.stack([turned(a) for a in (0, 60, 120)])
    assert all(grain_of(image[None]).is_oriented for image in images)
    assert not grain_of(images).is_oriented


def test_an_upright_grain_may_be_mirrored_and_an_oblique_one_not():
    turns = {"rotate", "rotate_90"}
    assert grain_of(turned(0)[None]).forbids == turns
    assert grain_of(turned(30)[None]).forbids == turns | {"flip_horizontal", "flip_vertical"}
