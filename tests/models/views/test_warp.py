import numpy as np
import pytest
import torch

from models.views.view import View
from models.views.warp import apply_view
from tests.models.conftest import part_image, texture_image


def test_the_empty_view_changes_nothing():
    image = texture_image(size=64)
    assert torch.equal(apply_view(image, View(), (64, 64)), image)


def test_four_quarter_turns_come_back():
    image = part_image(angle_deg=20, size=64)
    turned = image
    for _ in range(4):
        turned = apply_view(turned, View(angle_deg=90), (64, 64))
    assert float((turned - image).abs().mean()) < 0.01


def test_a_quarter_turn_is_numpys_quarter_turn():
    image = part_image(angle_deg=20, size=64)
    turned = apply_view(image, View(angle_deg=90), (64, 64))
    quarter_turns = [np.rot90(image.numpy(), k, axes=(1, 2)) for k in (1, 3)]
    assert min(float(np.abs(turned.numpy() - q).mean()) for q in quarter_turns) < 0.005


def test_flips_mirror():
    image = part_image(angle_deg=20, size=64)
    flipped = apply_view(image, View(flip_horizontal=True), (64, 64))
    assert float((flipped - image.flip(2)).abs().mean()) < 0.005
    flipped = apply_view(image, View(flip_vertical=True), (64, 64))
    assert float((flipped - image.flip(1)).abs().mean()) < 0.005


def test_turning_keeps_proportions_in_a_wide_image():
    image = torch.zeros(3, 64, 128)
    image[:, 28:36, 44:84] = 1.0  # a bar of 40 x 8 px, which shows once and not mirrored
    turned = apply_view(image, View(angle_deg=90, fill="ground"), (128, 64))
    rows, columns = (turned[0] > 0.5).nonzero(as_tuple=True)
    assert int(rows.max() - rows.min()) + 1 == pytest.approx(40, abs=2)
    assert int(columns.max() - columns.min()) + 1 == pytest.approx(8, abs=2)


def test_values_stay_in_range():
    view = View(angle_deg=33, scale=0.8, gain=1.4, gamma=0.7, light_x=0.2)
    shown = apply_view(texture_image(size=64), view, (64, 64))
    assert float(shown.min()) >= 0.0
    assert float(shown.max()) <= 1.0
