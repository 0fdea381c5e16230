from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.evaluation.rows.plain import RowInput, augment, find_row, warp
from tests.models.evaluation.conftest import tile


def row_input(num_images: int, seed: int = 0, train: tuple[Path, ...] = ()) -> RowInput:
    images = [Image.fromarray(tile(i)) for i in range(num_images)]
    return RowInput(images=images, object_name="tile", seed=seed, train=train)


def as_arrays(images):
    return [np.asarray(image) for image in images]


def test_the_real_row_is_the_real_images():
    data = row_input(3)
    assert find_row("real")(data) == list(data.images)


def test_augmentation_adds_7_turns_and_16_small_changes_to_each_image():
    data = row_input(2)
    images = augment(data)
    assert len(images) == 2 * 24
    assert images[0] is data.images[0]
    assert {image.size for image in images} == {(96, 96)}


def test_augmentation_is_fixed_by_the_seed():
    first, again, other = (as_arrays(augment(row_input(1, seed))) for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_no_turn_is_the_image_and_a_quarter_turn_is_exact():
    image = Image.fromarray(tile(0))
    assert np.array_equal(warp(image), image)
    assert np.array_equal(warp(image, turn_deg=90.0), np.rot90(image))


def test_a_turn_there_and_back_is_nearly_the_image_inside():
    y, x = np.mgrid[:96, :96]
    smooth = np.stack([127 + 90 * np.sin(x / 9), 127 + 90 * np.cos(y / 7), x + y], axis=-1)
    image = Image.fromarray(smooth.astype(np.uint8))
    back = warp(warp(image, turn_deg=31.0, scale=1.1), turn_deg=-31.0, scale=1 / 1.1)
    inside = (slice(28, 68),) * 2
    difference = np.asarray(back, float)[inside] - np.asarray(image, float)[inside]
    assert abs(difference).mean() < 1.5


def test_a_shift_moves_right_and_down_and_reflects_at_the_border():
    image = Image.fromarray(
        np.arange(100, dtype=np.uint8).reshape(10, 10).repeat(3).reshape(10, 10, 3)
    )
    moved = np.asarray(warp(image, shift=(0.2, 0.1)))
    assert np.array_equal(moved[1:, 2:], np.asarray(image)[:-1, :-2])
    assert np.array_equal(moved[1:, 1], np.asarray(image)[:-1, 0])


def test_a_warp_keeps_an_oblong_image_full():
    white = Image.fromarray(np.full((20, 90, 3), 200, np.uint8))
    assert np.asarray(warp(white, turn_deg=45.0)).min() == 200


def test_a_row_can_be_named_by_module_and_function():
    assert find_row("models.evaluation.rows.plain:augment") is augment


def test_an_unknown_row_is_refused():
    with pytest.raises(ValueError, match="no row 'magic'"):
        find_row("magic")
