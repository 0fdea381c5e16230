"""Warps: what goes by whole pixels is exact, the rest keeps sharpness and grain."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from skimage import data
from torch.nn import functional as F

from models.views.showing.warp import apply_view, within
from models.views.view import View
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


def test_a_shift_alone_moves_every_pixel_and_changes_none():
    image = texture_image(size=64)
    shown = apply_view(image, View(shift_x=3 / 64, shift_y=-2 / 64), (64, 64))
    assert torch.equal(shown[:, 2:, :-3], image[:, :-2, 3:])


@pytest.mark.parametrize("flip", ["flip_horizontal", "flip_vertical"])
@pytest.mark.parametrize("angle_deg", [90.0, 180.0, -90.0])
def test_pixels_that_are_exchanged_lie_where_a_warp_brings_them(flip: str, angle_deg: float):
    image = part_image(angle_deg=20, size=64)
    view = View(angle_deg=angle_deg, shift_x=4 / 64, shift_y=-6 / 64, **{flip: True})
    exact = apply_view(image, view, (64, 64))
    warped = apply_view(image, replace(view, scale=1 + 1e-5), (64, 64))
    assert float((exact - warped).abs().mean()) < 0.01


def test_a_narrow_strip_at_the_edge_is_mirrored_so_that_grain_stays_grain():
    grain = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    shown = apply_view(grain, View(shift_x=2 / 64, fill="edge"), (64, 64))
    assert torch.equal(shown[:, :, -2:], grain[:, :, [-1, -2]])


def test_an_edge_is_drawn_out_where_a_mirror_would_show_twice():
    image = torch.full((3, 64, 64), 0.2)
    image[:, :, 50:60] = 0.9
    shown = apply_view(image, View(shift_x=16 / 64, fill="edge"), (64, 64))
    assert int((shown[0, 0].diff().abs() > 0.1).sum()) == 2
    assert float(shown[0, 0, -1]) == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("size", [256, 160])
@pytest.mark.parametrize("name", ["noise", "gravel", "grass", "astronaut"])
def test_a_small_turn_keeps_gradient_energy_and_noise(name: str, size: int):
    """The mean over random small moves is within 2 %: what moves in and out is not the warp's."""
    image = noise_texture() if name == "noise" else photograph(name)
    rng = np.random.default_rng(0)
    still = inner(apply_view(image, View(), (size, size)))
    figures = []
    for _ in range(12):
        angle, *shift = rng.uniform(-3, 3), *rng.uniform(-0.01, 0.01, 2)
        view = View(angle_deg=angle, shift_x=shift[0], shift_y=shift[1])
        shown = inner(apply_view(image, view, (size, size)))
        figures.append([energy(shown) / energy(still), noise(shown) / noise(still)])
    assert np.mean(figures, axis=0) == pytest.approx([1.0, 1.0], abs=0.02)


def noise_texture() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return 0.5 + 0.1 * torch.randn(3, 256, 256, generator=generator)


def photograph(name: str) -> torch.Tensor:
    pixels = torch.from_numpy(np.array(getattr(data, name)())).float() / 255
    grey = pixels.mean(dim=2) if pixels.ndim == 3 else pixels
    return grey[:256, :256].expand(3, -1, -1).contiguous()


def inner(image: torch.Tensor) -> torch.Tensor:
    margin = image.shape[-1] // 8
    return image[:, margin:-margin, margin:-margin]


def energy(image: torch.Tensor) -> float:
    return float(image.diff(dim=1).square().mean() + image.diff(dim=2).square().mean())


def noise(image: torch.Tensor) -> float:
    """Standard deviation of what a 3 x 3 mean takes away."""
    return float((image - F.avg_pool2d(image[None], 3, 1, 1)[0]).std())


def test_turning_keeps_proportions_in_a_wide_image():
    image = torch.zeros(3, 64, 128)
    image[:, 28:36, 44:84] = 1.0  # a bar of 40 x 8 px, which shows once and not mirrored
    turned = apply_view(image, View(angle_deg=90, fill="edge"), (128, 64))
    rows, columns = (turned[0] > 0.5).nonzero(as_tuple=True)
    assert int(rows.max() - rows.min()) + 1 == pytest.approx(40, abs=2)
    assert int(columns.max() - columns.min()) + 1 == pytest.approx(8, abs=2)


def test_values_stay_in_range():
    view = View(angle_deg=33, scale=0.8, gain=1.4, gamma=0.7, light_x=0.2)
    shown = apply_view(texture_image(size=64), view, (64, 64))
    assert float(shown.min()) >= 0.0
    assert float(shown.max()) <= 1.0


@pytest.mark.parametrize(
    "view",
    [
        View(),
        View(shift_x=0.25, shift_y=-0.125),
        View(angle_deg=30, scale=1.1),
        View(angle_deg=90, flip_vertical=True, shift_y=0.25),
        View(scale=0.75),
    ],
)
def test_where_a_view_shows_the_image_itself(view: View):
    # Beyond its edge an image is white with every kind of fill if its own edge is.
    size = (96, 64)
    inner = torch.zeros(3, 64, 96)
    inner[:, 0], inner[:, -1], inner[:, :, 0], inner[:, :, -1] = (torch.ones(()),) * 4
    shown = apply_view(inner, replace(view, fill="ground"), size)[0]
    seen = within(view, size, size)
    edge = F.max_pool2d((~seen)[None].float(), 5, 1, 2)[0] > 0
    assert (shown[edge & ~seen] > 0.5).float().mean() > 0.98 or bool(seen.all())
    assert (shown[~edge] < 0.5).float().mean() > 0.9
    assert bool(seen.all()) == (view == View())
