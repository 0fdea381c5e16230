"""What was written is kept small, and shown in place of the images."""

import numpy as np
import pytest

from tests.workers.archive.test_preview import made_result
from workers.archive.small_pictures import SMALL_SIDE_PX, SmallPictures


@pytest.mark.parametrize("size", [(64, 48), (1280, 640)])
def test_a_kept_picture_has_the_images_shape_and_colour(size: tuple[int, int]):
    result = made_result(3, size=size)
    small = SmallPictures()
    for image in result.images:
        small.keep(image.pixels)
    for image, kept in zip(result.images, small.of(result).images, strict=True):
        height, width = kept.pixels.shape[:2]
        assert width / height == pytest.approx(size[0] / size[1], rel=0.01)
        assert max(width, height) == min(max(size), SMALL_SIDE_PX)
        difference = kept.pixels.mean(axis=(0, 1)) - image.pixels.mean(axis=(0, 1))
        assert np.abs(difference).max() < 3
        assert kept.seed == image.seed


def test_each_image_has_its_own():
    with pytest.raises(ValueError, match="shorter"):
        SmallPictures().of(made_result(2))
