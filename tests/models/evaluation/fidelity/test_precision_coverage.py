import pytest
import torch
from torch import Tensor

from models.evaluation.fidelity.precision_coverage import coverage, neighbour_radii, precision


def points(count: int, seed: int, *, features: int = 6) -> Tensor:
    return torch.randn(count, features, generator=torch.Generator().manual_seed(seed))


REAL = points(40, seed=0)
RADII = neighbour_radii(REAL)


def test_the_reference_itself_is_precise_and_covers_itself():
    assert precision(REAL, REAL, RADII) == 1.0
    assert coverage(REAL, REAL, RADII) == 1.0


def test_radii_by_hand():
    line = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    assert neighbour_radii(line, 1).tolist() == [1.0, 1.0, 2.0, 4.0]
    assert neighbour_radii(line, 3).tolist() == [7.0, 6.0, 4.0, 7.0]


def test_precision_and_coverage_by_hand():
    line = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    radii = neighbour_radii(line, 1)  # [-1, 1], [0, 2], [1, 5], [3, 11]
    made = torch.tensor([[4.0], [-2.0], [12.0], [5.5]])
    assert precision(made, line, radii) == 0.5
    assert coverage(made, line, radii) == 0.5
    assert coverage(made[1:3], line, radii) == 0.0


def test_radii_grow_with_the_points_and_figures_stay():
    made = points(25, seed=1)
    torch.testing.assert_close(neighbour_radii(3 * REAL), 3 * RADII)
    for figure in (precision, coverage):
        assert figure(3 * made, 3 * REAL, neighbour_radii(3 * REAL)) == figure(made, REAL, RADII)


def test_a_farther_neighbour_makes_no_radius_smaller():
    radii = torch.stack([neighbour_radii(REAL, n) for n in range(1, 8)])
    assert (radii.diff(dim=0) >= 0).all()


def test_added_images_never_cover_less():
    made = points(60, seed=2)
    covered = [coverage(made[:count], REAL, RADII) for count in range(1, 61)]
    assert covered == sorted(covered)
    assert covered[0] < covered[-1]


def test_images_far_from_everything_are_neither_precise_nor_cover():
    noise = 50 + points(30, seed=3)
    assert precision(noise, REAL, RADII) == 0.0
    assert coverage(noise, REAL, RADII) == 0.0
    # Among good ones they cost precision and leave coverage.
    mixed = torch.cat([REAL, noise])
    assert precision(mixed, REAL, RADII) == pytest.approx(40 / 70)
    assert coverage(mixed, REAL, RADII) == 1.0


def test_the_order_of_images_and_of_features_is_nothing():
    made, generator = points(25, seed=4), torch.Generator().manual_seed(0)
    a, b = (torch.randperm(len(x), generator=generator) for x in (REAL, made))
    columns = torch.randperm(REAL.shape[1], generator=generator)
    real, other = REAL[a][:, columns], made[b][:, columns]
    torch.testing.assert_close(neighbour_radii(real), RADII[a])
    for figure in (precision, coverage):
        assert figure(other, real, neighbour_radii(real)) == figure(made, REAL, RADII)


def test_one_image_repeated_is_as_precise_as_it_is_and_covers_no_more():
    one = points(1, seed=5)
    many = one.repeat(30, 1)
    assert precision(many, REAL, RADII) == precision(one, REAL, RADII)
    assert coverage(many, REAL, RADII) == coverage(one, REAL, RADII) < 0.5


def test_more_of_the_same_distribution_covers_nearly_all():
    assert coverage(points(40, seed=6), REAL, RADII) > 0.9
    assert precision(points(40, seed=6), REAL, RADII) > 0.9


def test_a_small_distance_far_from_the_origin_is_not_lost():
    real = 1e4 + 1e-2 * points(20, seed=7).double()
    assert precision(real, real, neighbour_radii(real)) == 1.0
    made = real + 1.0
    assert precision(made, real, neighbour_radii(real)) == 0.0


def test_too_few_real_images_are_refused():
    with pytest.raises(ValueError, match="5 images have no 5 neighbours"):
        neighbour_radii(REAL[:5])


def test_no_image_is_not_precise():
    assert precision(REAL[:0], REAL, RADII) == coverage(REAL[:0], REAL, RADII) == 0.0
