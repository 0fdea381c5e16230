"""The demo's images are real, several and of one kind."""

from itertools import combinations, product

import numpy as np
import pytest

from models.evaluation.fidelity.precision_coverage import NEIGHBOUR
from workers.cli.samples import (
    BRICK_CROPS,
    COIN_PX,
    COINS,
    OTHER_COINS,
    SAMPLES,
    load_apart,
    load_sample,
)


@pytest.mark.parametrize("name", list(SAMPLES))
def test_each_sample_has_different_images_of_a_usable_size(name: str):
    object_name, images = load_sample(name)
    assert object_name.replace(" ", "").isalpha()
    assert len(images) in (3, 5)
    assert all(min(image.size) >= 2 * COIN_PX for image in images)
    for one, other in combinations(images, 2):
        assert not np.array_equal(np.asarray(one), np.asarray(other))


def test_the_crops_of_the_wall_do_not_overlap():
    for (x1, y1), (x2, y2) in combinations(BRICK_CROPS, 2):
        assert abs(x1 - x2) >= 256 or abs(y1 - y2) >= 256


def test_coins_that_are_kept_apart_are_none_of_the_given_ones():
    _, given = load_sample("coin")
    apart = load_apart("coin")
    assert len(apart) > NEIGHBOUR
    pixels = {image.tobytes() for image in (*given, *apart)}
    assert len(pixels) == len(given) + len(apart)
    for (x1, y1), (x2, y2) in product(COINS, OTHER_COINS):
        # A neighbour may reach into the corner of a window and no further.
        assert max(abs(x1 - x2), abs(y1 - y2)) >= 0.8 * COIN_PX


def test_an_unknown_sample_is_named():
    with pytest.raises(ValueError, match=r"'teapot'.*coin, brick, textile"):
        load_sample("teapot")
