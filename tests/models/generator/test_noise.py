import pytest
import torch

from models.generator.noise import noise


@pytest.mark.parametrize("smooth", [True, False])
def test_noise_is_standard_normal(smooth: bool):
    eps = torch.stack([noise(torch.Size((4, 48, 48)), seed, smooth=smooth) for seed in range(40)])
    assert abs(float(eps.mean())) < 0.05
    assert float(eps.var()) == pytest.approx(1.0, rel=0.06)


@pytest.mark.parametrize("size", [(2, 40), (40, 2), (8, 8), (1, 1)])
def test_noise_of_a_narrow_grid_is_as_strong_and_nowhere_stronger(size: tuple[int, int]):
    # As many values for each size; the channels are drawn apart, and many of them at once.
    draws = 40 * 80 * 16 // (64 * size[0] * size[1])
    eps = torch.stack([noise(torch.Size((64, *size)), seed) for seed in range(draws)])
    assert float(eps.var()) == pytest.approx(1.0, rel=0.1)
    of_a_cell = eps.var(dim=(0, 1))
    assert float(of_a_cell.max() / of_a_cell.min()) < 1.5


@pytest.mark.parametrize("smooth", [True, False])
def test_the_same_seed_draws_the_same_noise_and_another_another(smooth: bool):
    first, again, other = (noise(torch.Size((2, 8, 8)), s, smooth=smooth) for s in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_smooth_noise_moves_neighbours_together():
    def neighbour_correlation(*, smooth: bool) -> float:
        eps = noise(torch.Size((8, 64, 64)), 0, smooth=smooth)
        return float((eps[..., 1:] * eps[..., :-1]).mean())

    assert neighbour_correlation(smooth=True) > 0.3
    assert abs(neighbour_correlation(smooth=False)) < 0.05
