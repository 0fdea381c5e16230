import numpy as np
import pytest
from PIL import Image

from models.evaluation.data.dataset import read_dataset
from models.evaluation.data.testset import read_test_set


@pytest.fixture
def category(category_folder):
    return read_dataset(str(category_folder))[0]


def test_features_read_back_equal_those_extracted(category, features, tmp_path):
    first = read_test_set(category, features, tmp_path / "features")
    (cached,) = (tmp_path / "features").iterdir()
    written = cached.stat().st_mtime_ns
    again = read_test_set(category, features, tmp_path / "features")
    assert np.array_equal(first.patches, again.patches)
    assert cached.stat().st_mtime_ns == written
    assert first.patches.shape == (6, 784, 152)


def test_masks_fit_the_maps_and_keep_their_area(category, features, tmp_path):
    test = read_test_set(category, features, tmp_path)
    assert test.masks.shape == (6, 224, 224)
    assert test.has_masks
    shares = test.masks[test.labels].mean(axis=(1, 2))
    assert shares == pytest.approx((24 / 96) ** 2, rel=0.05)
    assert not test.masks[~test.labels].any()


def test_a_thin_crack_survives_the_mask_being_shrunk(category, features, tmp_path):
    drawn = np.zeros((600, 600), np.uint8)
    drawn[300] = 255
    path = tmp_path / "crack.png"
    Image.fromarray(drawn).save(path)
    cracked = next(t for t in category.test if t.is_defective)
    changed = type(category)(
        category.name,
        category.train,
        tuple(type(t)(t.path, t.defect, path if t == cracked else t.mask) for t in category.test),
    )
    test = read_test_set(changed, features, tmp_path)
    assert test.masks[category.test.index(cracked)].any(axis=0).all()


def test_an_empty_mask_says_nothing(category, features, tmp_path):
    path = tmp_path / "empty.png"
    Image.new("L", (96, 96)).save(path)
    masked = [type(t)(t.path, t.defect, path if t.mask else None) for t in category.test]
    test = read_test_set(
        type(category)(category.name, category.train, tuple(masked)), features, tmp_path
    )
    assert not test.has_masks
    assert np.array_equal(test.with_mask, ~test.labels)
