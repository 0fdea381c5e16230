"""Uneven light: seen on textures, never on parts."""

import torch

from models.views.light import LEAST_SPREAD, light_spread, self_similarity, slow_spread
from tests.models.conftest import part_image, texture_image

SIZE = 192


def shaded(image: torch.Tensor, strength: float) -> torch.Tensor:
    """The image under light that falls off from left to right."""
    ramp = torch.linspace(-strength, strength, image.shape[-1])
    return (image * torch.exp(ramp)).clamp(0, 1)


def test_a_texture_is_found_again_elsewhere_and_a_part_is_not(features):
    texture = self_similarity(texture_image(size=SIZE), features)
    part = self_similarity(part_image(angle_deg=20, size=SIZE), features)
    assert texture < part


def test_slow_change_counts_and_grain_does_not():
    flat = torch.full((3, SIZE, SIZE), 0.4)
    grain = (
        flat + 0.1 * torch.randn(flat.shape, generator=torch.Generator().manual_seed(0))
    ).clamp(0, 1)
    assert slow_spread(flat) < 1e-4
    assert slow_spread(grain) < 0.05
    # A ramp of log brightness from -0.5 to 0.5 has a standard deviation of 1 / sqrt(12).
    assert abs(slow_spread(shaded(flat, 0.5)) - 12**-0.5) < 0.03


def test_uneven_light_on_a_texture_may_vary(features):
    even = texture_image(size=SIZE)[None]
    uneven = shaded(even[0], 0.6)[None]
    assert light_spread(even, features) == 0.0
    assert light_spread(uneven, features) >= LEAST_SPREAD


def test_the_shading_of_a_part_is_its_own(features):
    part = shaded(part_image(angle_deg=20, size=SIZE), 0.6)[None]
    assert light_spread(part, features) == 0.0
