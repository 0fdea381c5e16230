"""Uneven light: seen on textures of which several images show it, never on parts."""

import torch

from models.views.decision.light import (
    LEAST_SPREAD,
    light_spread,
    self_similarity,
    slow_part,
    spread_between,
)
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
    assert float(slow_part(flat).std()) < 1e-4
    assert float(slow_part(grain).std()) < 0.05
    # A ramp of log brightness from -0.5 to 0.5 has a standard deviation of 1 / sqrt(12).
    assert abs(float(slow_part(shaded(flat, 0.5)).std()) - 12**-0.5) < 0.03


def test_a_lamp_that_is_brighter_as_a_whole_is_no_uneven_light():
    flat = torch.full((3, SIZE, SIZE), 0.4)
    assert spread_between(torch.stack([flat, 1.5 * flat])) < 1e-4


def test_one_image_never_says_that_light_varies(features):
    assert light_spread(shaded(texture_image(size=SIZE), 0.6)[None], features) == 0.0


def test_the_same_uneven_light_in_every_image_does_not_vary(features):
    images = torch.stack([shaded(texture_image(size=SIZE, seed=s), 0.6) for s in (0, 1)])
    even = torch.stack([texture_image(size=SIZE, seed=s) for s in (0, 1)])
    # No more than the surfaces themselves differ: a texture of scratches has slow parts too.
    assert spread_between(images) < spread_between(even) + 0.02


def test_light_that_differs_between_images_of_a_texture_varies(features):
    lit = torch.stack([shaded(texture_image(size=SIZE), s) for s in (-0.6, 0.6)])
    assert light_spread(lit, features) >= LEAST_SPREAD


def test_the_shading_of_a_part_is_its_own(features):
    part = part_image(angle_deg=20, size=SIZE)
    assert light_spread(torch.stack([part, shaded(part, 0.6)]), features) == 0.0
