import pytest
import torch

from models.generator.variance import (
    NUM_LOOKED_IN,
    NUM_SEEN_AGAIN,
    distance_seen_again,
    match_variance,
)
from tests.models.conftest import part_image


def constant_descriptors(k: int, size: int) -> torch.Tensor:
    return torch.zeros(k, 3, size, size)


def test_equal_images_give_no_variance():
    latents = torch.ones(3, 2, 8, 8) * torch.tensor([1.0, -2.0])[:, None, None]
    assert (
        float(match_variance(latents, latents[None], constant_descriptors(3, 8), 0.1).max()) == 0.0
    )


def test_variance_of_matched_patches_is_found():
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(2, 1, 32, 32, generator=generator) * 0.5
    almost_equal = 1e-3 * torch.randn(2, 3, 32, 32, generator=generator)
    variance = match_variance(latents, latents[None], almost_equal, 0.1)
    # Six matches of weight 1 against the prior's 1: 6 / 7 of the true variance, 0.25.
    assert abs(float(variance.mean()) - 0.25 * 6 / 7) < 0.02


def test_variance_grows_where_images_differ_and_not_where_they_agree():
    generator = torch.Generator().manual_seed(0)
    latents = torch.zeros(2, 2, 16, 16)
    latents[:, :, :, 8:] = torch.randn(2, 2, 16, 8, generator=generator)
    descriptors = torch.zeros(2, 3, 16, 16)
    descriptors[:, 0, :, 8:] = 1.0  # the two halves do not resemble each other
    variance = match_variance(latents, latents[None], descriptors, 0.1)
    assert float(variance[..., :8].max()) == 0.0
    assert float(variance[..., 8:].mean()) > 0.5


def test_what_nothing_resembles_gets_none():
    latents = torch.randn(1, 2, 8, 8)
    descriptors = torch.arange(64.0).reshape(1, 1, 8, 8) * 100  # every patch is unlike any other
    assert float(match_variance(latents, latents[None], descriptors, 1.0).max()) < 1e-6


def only_the_same_cell_matches(k: int, size: int) -> torch.Tensor:
    """Descriptors by which a cell resembles nothing but the same cell of another image."""
    cells = torch.arange(float(size)) * 100
    return torch.stack(torch.meshgrid(cells, cells, indexing="ij")).expand(k, -1, -1, -1)


def shifted_by_a_cell(latents: torch.Tensor) -> torch.Tensor:
    return torch.stack([latents, latents.roll(1, -1), latents.roll(-1, -1)])


def test_an_edge_that_a_shift_brings_to_rest_is_no_evidence():
    latents = torch.zeros(2, 1, 8, 8)
    latents[0, :, :, 4:] = 1.0
    latents[1, :, :, 5:] = 1.0  # the same edge one cell further right
    descriptors = only_the_same_cell_matches(2, 8)
    still = match_variance(latents, latents[None], descriptors, 0.1)
    # One match of weight 1 against the prior's 1, half the squared difference of 1.
    torch.testing.assert_close(still[..., 4], torch.full_like(still[..., 4], 0.25))
    moved = match_variance(latents, shifted_by_a_cell(latents), descriptors, 0.1)
    assert float(moved.max()) == 0.0


def test_grain_that_no_shift_brings_to_rest_stays_evidence():
    latents = torch.randn(2, 8, 16, 16, generator=torch.Generator().manual_seed(0))
    descriptors = only_the_same_cell_matches(2, 16)
    still = match_variance(latents, latents[None], descriptors, 0.1)
    moved = match_variance(latents, shifted_by_a_cell(latents), descriptors, 0.1)
    assert 0.5 * float(still.mean()) < float(moved.mean()) < float(still.mean())


def test_finer_latents_are_compared_within_matched_patches():
    latents = torch.zeros(1, 1, 16, 16)
    latents[..., ::2] = 5.0  # alternates within a patch, alike between patches
    assert (
        float(match_variance(latents, latents[None], constant_descriptors(1, 8), 0.1).max()) == 0.0
    )


def test_a_patch_seen_again_is_nearer_than_another_and_never_at_nothing(features):
    part = part_image(angle_deg=25, size=128)[None]
    same = part.expand(NUM_SEEN_AGAIN, -1, -1, -1)
    turned = part_image(angle_deg=40, size=128)[None].expand(NUM_SEEN_AGAIN, -1, -1, -1)
    apart = distance_seen_again(part, turned, features)
    # torch.cdist's rounding is all that parts equal patches.
    assert 0 < distance_seen_again(part, same, features) < 0.01 * apart
    assert distance_seen_again(part, torch.cat([turned, turned[:1]]), features) < 0.01 * apart


def test_only_so_many_images_are_looked_at_and_each_is_told(features):
    parts = part_image(angle_deg=25, size=64)[None].expand(40, -1, -1, -1)
    told = []
    distance_seen_again(parts, parts, features, lambda: told.append(1))
    assert len(told) == NUM_SEEN_AGAIN + NUM_LOOKED_IN


def test_looking_stops_where_the_caller_does(features):
    parts = part_image(angle_deg=25, size=64)[None].expand(10, -1, -1, -1)
    told = []

    def stop_at_third():
        told.append(1)
        if len(told) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        distance_seen_again(parts, parts, features, stop_at_third)
    assert len(told) == 3
