import numpy as np
import pytest
import torch

from models.views.showing.resampling import gradient_energy, lost_sharpness, resampled, sharpened
from models.views.view import to_image, to_tensor
from tests.models.conftest import part_image


def test_a_reduced_image_is_pillows():
    picture = to_image(part_image(angle_deg=20))
    ours = resampled(to_tensor(picture, picture.size), (80, 64)).clamp(0, 1)
    assert float((ours - to_tensor(picture, (80, 64))).abs().max()) < 2 / 255


def test_a_constant_stays_and_the_own_size_changes_nothing():
    flat = torch.full((2, 30, 50), 0.3)
    torch.testing.assert_close(resampled(flat, (17, 91)), torch.full((2, 91, 17), 0.3))
    assert resampled(flat, (50, 30)) is flat


def test_there_and_back_keeps_what_both_sizes_can_show():
    steps = torch.arange(96) / 96
    wave = 0.5 + 0.3 * torch.sin(2 * np.pi * 20 * steps)
    image = wave.expand(3, 96, 96).contiguous()
    back = resampled(resampled(image, (192, 192)), (96, 96))
    assert float((back - image)[:, 12:-12, 12:-12].abs().max()) < 0.02


def test_lost_sharpness_is_given_back():
    generator = torch.Generator().manual_seed(0)
    image = 0.5 + 0.1 * torch.randn(3, 64, 64, generator=generator)
    for strength in (-0.2, 0.0, 0.05):
        blurred = sharpened(image, strength)
        again = sharpened(blurred, lost_sharpness(image, blurred, (64, 64)))
        assert float(gradient_energy(again) / gradient_energy(image)) == pytest.approx(1, abs=0.01)
