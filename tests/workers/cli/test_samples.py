"""The demo's images are real, several and of one kind."""

from itertools import combinations

import numpy as np
import pytest

from workers.cli.samples import BRICK_CROPS, SAMPLES, load_sample


@pytest.mark.parametrize("name", list(SAMPLES))
def test_each_sample_has_different_images_of_a_usable_size(name: str):
    object_name, images = load_sample(name)
    assert object_name.replace(" ", "").isalpha()
    assert len(images) == 3
    assert all(min(image.size) >= 200 for image in images)
    for one, other in combinations(images, 2):
        assert not np.array_equal(np.asarray(one), np.asarray(other))


def test_the_crops_of_the_wall_do_not_overlap():
    for (x1, y1), (x2, y2) in combinations(BRICK_CROPS, 2):
        assert abs(x1 - x2) >= 256 or abs(y1 - y2) >= 256


def test_an_unknown_sample_is_named():
    with pytest.raises(ValueError, match=r"'teapot'.*brick, coin, textile"):
        load_sample("teapot")
