import pytest
import torch

from models.features.nearest import farthest, nearest_distances


def rows(number: int, seed: int) -> torch.Tensor:
    return torch.randn(number, 12, generator=torch.Generator().manual_seed(seed))


def test_nearest_distances_are_those_of_all_pairs():
    patches, bank = rows(50, 0), rows(30, 1)
    expected = (patches[:, None] - bank[None]).norm(dim=2).min(dim=1)
    distances, indices = nearest_distances(patches, bank)
    torch.testing.assert_close(distances, expected.values)
    assert torch.equal(indices, expected.indices)


def test_small_pieces_give_the_same(monkeypatch):
    patches, bank = rows(50, 0), rows(30, 1)
    whole = nearest_distances(patches, bank)
    monkeypatch.setattr("models.features.nearest.MAX_PAIRS", 100)
    pieces = nearest_distances(patches, bank)
    torch.testing.assert_close(pieces[0], whole[0])
    assert torch.equal(pieces[1], whole[1])


@pytest.mark.parametrize("size", [1.0, 1e3])
def test_a_patch_of_the_bank_lies_at_exactly_nothing(size):
    bank = size * rows(300, 0)
    distances, indices = nearest_distances(bank, bank)
    assert float(distances.max()) == 0.0
    assert torch.equal(indices, torch.arange(300))


def test_a_small_distance_is_not_lost_in_large_features():
    bank = 40 + rows(300, 0)
    near = bank + 1e-2
    expected = (near - bank).norm(dim=1)
    torch.testing.assert_close(nearest_distances(near, bank)[0], expected, rtol=1e-3, atol=0.0)


def test_a_broken_patch_lies_at_no_distance_at_all():
    patches = rows(3, 0)
    patches[1, 4] = torch.nan
    distances, _ = nearest_distances(patches, rows(30, 1))
    assert distances.isnan().tolist() == [False, True, False]


@pytest.mark.parametrize("spread", [0.1, 1.0, 10.0])
def test_the_farthest_patch_is_found_without_all_distances(spread, monkeypatch):
    monkeypatch.setattr("models.features.nearest.NUM_BOUNDING", 20)
    monkeypatch.setattr("models.features.nearest.NUM_CLOSELY", 3)
    patches, bank = spread * rows(200, 0), rows(300, 1)
    distances, _ = nearest_distances(patches, bank)
    distance, index = farthest(patches, bank)
    torch.testing.assert_close(distance, distances.max())
    assert int(index) == int(distances.argmax())
    assert float(farthest(bank, bank)[0]) == 0.0


def test_a_broken_patch_is_farther_than_all(monkeypatch):
    monkeypatch.setattr("models.features.nearest.NUM_BOUNDING", 20)
    patches = rows(200, 0)
    patches[150, 4] = torch.nan
    distance, index = farthest(patches, rows(300, 1))
    assert distance.isnan()
    assert int(index) == 150
