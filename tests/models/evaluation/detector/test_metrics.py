import numpy as np
import pytest
from scipy import ndimage
from sklearn.metrics import roc_auc_score

from models.evaluation.detector.metrics import auroc, pixel_auroc, pro


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_auroc_does_not_change_under_a_monotone_map_of_the_scores(rng):
    labels, scores = rng.random(50) < 0.4, rng.standard_normal(50)
    assert auroc(labels, scores) == auroc(labels, np.exp(3 * scores) + 7)


def test_auroc_of_negated_scores_is_the_complement(rng):
    labels, scores = rng.random(50) < 0.4, rng.integers(5, size=50).astype(float)
    assert auroc(labels, scores) + auroc(labels, -scores) == pytest.approx(1.0)


@pytest.mark.parametrize("levels", [2, 5, 1000])
def test_auroc_equals_scikit_learns_with_and_without_ties(rng, levels):
    labels, scores = rng.random(300) < 0.3, rng.integers(levels, size=300).astype(float)
    assert auroc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


def test_auroc_counted_by_hand():
    # Pairs (defective, normal): 3>1, 3>2, 2>1, 2=2 (half) -> 3.5 of 4.
    assert auroc(np.array([True, True, False, False]), np.array([3.0, 2.0, 1.0, 2.0])) == 0.875


def test_auroc_of_one_class_is_refused():
    with pytest.raises(ValueError, match="3 defective and 0 normal"):
        auroc(np.ones(3, dtype=bool), np.arange(3.0))


def test_pixel_auroc_equals_scikit_learns(rng):
    masks, maps = rng.random((3, 8, 8)) < 0.2, rng.random((3, 8, 8)).astype(np.float32)
    assert pixel_auroc(masks, maps) == pytest.approx(roc_auc_score(masks.ravel(), maps.ravel()))


def test_pro_of_a_perfect_map_is_one_and_of_a_constant_one_chance():
    masks = np.zeros((2, 10, 10), dtype=bool)
    masks[0, 2:5, 2:5] = True
    assert pro(masks, masks.astype(float)) == pytest.approx(1.0)
    # A straight line from (0, 0) to (1, 1), up to 0.3: 0.3^2 / 2 / 0.3.
    assert pro(masks, np.zeros(masks.shape)) == pytest.approx(0.15)


def test_pro_counts_a_small_region_like_a_large_one():
    masks = np.zeros((1, 20, 20), dtype=bool)
    masks[0, :10, :10] = True
    masks[0, 15, 15] = True
    maps = np.zeros(masks.shape)
    maps[0, :10, :10] = 1.0  # finds the large region alone
    # Overlap 1/2 at once, then straight to (1, 1): at 0.3 it is 0.65.
    assert pro(masks, maps) == pytest.approx((0.5 + 0.65) / 2)


def test_pro_joins_pixels_that_touch_at_a_corner():
    masks = np.zeros((1, 10, 10), dtype=bool)
    masks[0, [1, 2, 3], [1, 2, 3]] = True
    maps = np.zeros(masks.shape)
    maps[0, 1, 1] = 1.0
    start = 1 / 3  # one region of three pixels, one of which is found
    assert pro(masks, maps) == pytest.approx((start + start + 0.3 * (1 - start)) / 2)


def test_pro_equals_thresholding_one_by_one(rng):
    masks = ndimage.gaussian_filter(rng.standard_normal((3, 24, 24)), (0, 2, 2)) > 0.2
    maps = np.round(rng.random(masks.shape) + 0.3 * masks, 2)
    labelled = [ndimage.label(m, np.ones((3, 3))) for m in masks]
    curve = [(0.0, 0.0)]
    for threshold in np.unique(maps)[::-1]:
        found = maps >= threshold
        shares = [
            found[i][labels == n].mean()
            for i, (labels, count) in enumerate(labelled)
            for n in range(1, count + 1)
        ]
        curve.append((found[~masks].mean(), float(np.mean(shares))))
    fpr, overlap = np.array(curve).T
    grid = np.linspace(0, 0.3, 200_001)
    expected = np.interp(grid, fpr, overlap).mean()
    assert pro(masks, maps) == pytest.approx(expected, abs=1e-4)


def test_pro_without_a_defect_is_refused():
    with pytest.raises(ValueError, match="PRO"):
        pro(np.zeros((1, 4, 4), dtype=bool), np.zeros((1, 4, 4)))
