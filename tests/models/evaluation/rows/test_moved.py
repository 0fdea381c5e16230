import random
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from models.evaluation.rows.moved import MOVED_ROWS, TINY, jittered, reduced, rotations, small
from models.evaluation.rows.plain import RowInput
from tests.models.evaluation.conftest import tile


@pytest.fixture
def data() -> RowInput:
    images = [Image.fromarray(tile(seed, side=144)) for seed in range(2)]
    return RowInput(
        images=images, object_name="tile", seed=0, train=(), num_images=5, image_size=96
    )


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image, dtype=float)


def gradient_energy(image: Image.Image) -> float:
    grey = pixels(image).mean(axis=2)
    return float((np.diff(grey, axis=0)[:, 1:] ** 2 + np.diff(grey, axis=1)[1:] ** 2).mean())


@pytest.mark.parametrize("name", MOVED_ROWS)
def test_a_row_keeps_the_real_images_and_adds_as_many_of_each_at_the_products_size(data, name):
    images = MOVED_ROWS[name](data)
    assert images[:2] == list(data.images)
    assert [image.size for image in images[2:]] == [(96, 96)] * 10


@pytest.mark.parametrize("name", MOVED_ROWS)
def test_sources_take_turns(data, name):
    dark = data.images[1].point(lambda value: value // 4)
    images = MOVED_ROWS[name](replace(data, images=[data.images[0], dark]))
    assert [pixels(image).mean() < 60 for image in images[2:]] == [False, True] * 5


@pytest.mark.parametrize("name", MOVED_ROWS)
def test_the_seed_decides(data, name):
    def made(seed: int) -> list[bytes]:
        return [image.tobytes() for image in MOVED_ROWS[name](replace(data, seed=seed))]

    assert made(0) == made(0)
    assert (made(0) == made(1)) == (name == "rotations")  # which draws nothing


def test_fewer_are_the_beginning_of_more(data):
    few, more = (small(replace(data, num_images=n)) for n in (2, 5))
    assert [i.tobytes() for i in few] == [i.tobytes() for i in more[: len(few)]]


def test_turns_are_spread_evenly_over_the_circle(data):
    """A bright hand on a dark ground says where each image was turned to."""
    face = np.zeros((120, 120, 3), np.uint8)
    face[55:65, 60:115] = 255
    one = replace(data, images=[Image.fromarray(face)], num_images=7, image_size=96)
    angles = []
    for image in rotations(one)[1:]:
        y, x = np.nonzero(pixels(image)[..., 0] > 128)
        angles.append(np.degrees(np.arctan2(47.5 - y.mean(), x.mean() - 47.5)) % 360)
    assert angles == pytest.approx([45.0 * n for n in range(1, 8)], abs=3)


def test_a_tiny_move_keeps_the_sharpness():
    """The filter is the point: a warp at the source's size, and only then the reduction."""
    noise = np.random.default_rng(0).normal(128, 40, (384, 384, 3)).clip(0, 255)
    grain = Image.fromarray(noise.astype(np.uint8))
    low, rng, tiny = reduced(grain, 192), random.Random(0), replace(TINY, brightness=0.0)
    moved = [reduced(jittered(grain, tiny, rng), 192) for _ in range(6)]
    kept = [gradient_energy(image) / gradient_energy(low) for image in moved]
    assert kept == pytest.approx([1.0] * 6, abs=0.1)
    # The same moves of the reduced image, bilinear, as a detector's own loader makes them.
    half_a_pixel = (1, 0, 0.5, 0, 1, 0.5)
    filters = Image.Resampling.BILINEAR
    shifted = low.transform(low.size, Image.Transform.AFFINE, half_a_pixel, filters)
    assert gradient_energy(shifted) / gradient_energy(low) < 0.7
