import pytest
import torch
from torch import Tensor

from models.evaluation.detector.coreset import PROJECTED_FEATURES, greedy_coreset, projected


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def radius(patches: Tensor, chosen: Tensor) -> float:
    return float(torch.cdist(patches, chosen).amin(dim=1).max())


def crowd_and_outliers(features: int = 8) -> Tensor:
    return torch.cat([normal(500, features), 20.0 + normal(3, features, seed=1)])


def test_a_larger_coreset_leaves_no_patch_farther_away():
    patches = normal(400, 8)
    chosen = [greedy_coreset(patches, size, seed=0) for size in (10, 40, 160)]
    # The smaller one is the beginning of the larger one.
    assert torch.equal(chosen[2][:40], chosen[1])
    radii = [radius(patches, c) for c in chosen]
    assert radii == sorted(radii, reverse=True)


def test_the_coreset_takes_distinct_rows_and_all_of_a_small_set():
    patches = normal(100, 8)
    assert greedy_coreset(patches, 100, seed=0) is patches
    assert len(greedy_coreset(torch.cat([patches, patches]), 60, seed=0).unique(dim=0)) == 60


@pytest.mark.parametrize("features", [8, 3 * PROJECTED_FEATURES])
def test_the_coreset_covers_better_than_chance_at_any_seed(features):
    patches = crowd_and_outliers(features)
    greedy = [radius(patches, greedy_coreset(patches, 20, seed)) for seed in range(5)]
    shuffles = [torch.Generator().manual_seed(seed) for seed in range(5)]
    drawn = [radius(patches, patches[torch.randperm(503, generator=g)[:20]]) for g in shuffles]
    assert max(greedy) < min(drawn)


def test_the_greedy_radius_is_within_twice_the_best():
    """Gonzalez' bound, where the best is known: six tight heaps, one centre each."""
    heaps = 100.0 * normal(6, 8).repeat_interleave(50, dim=0)
    patches = heaps + 0.1 * normal(300, 8, seed=1)
    best = max(radius(heap, heap.mean(dim=0, keepdim=True)) for heap in patches.split(50))
    # Centres are patches themselves, which may double the best once more.
    assert radius(patches, greedy_coreset(patches, 6, seed=0)) <= 4 * best


def test_a_projection_keeps_distances_and_is_left_out_where_it_saves_little():
    few, many = normal(40, PROJECTED_FEATURES), normal(40, 4 * PROJECTED_FEATURES)
    generator = torch.Generator().manual_seed(0)
    assert projected(few, generator) is few
    shrunk = projected(many, generator)
    assert shrunk.shape == (40, PROJECTED_FEATURES)
    ratios = torch.pdist(shrunk) / torch.pdist(many)
    assert float((ratios - 1).abs().max()) < 0.35
    assert float(ratios.mean()) == pytest.approx(1, abs=0.03)
