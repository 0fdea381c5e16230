import pytest
import torch
from torch.nn import functional as F

from models.views.registration import register
from models.views.showing.warp import apply_view
from models.views.view import View
from tests.models.conftest import part_image, texture_image

SIZE = (160, 128)


def moved(view: View) -> torch.Tensor:
    return apply_view(part_image(angle_deg=20, size=256), view, SIZE)


def test_an_image_lies_on_itself():
    image = moved(View())
    found = register(image, image)
    assert found.unexplained < 1e-9
    assert (found.angle_deg, found.shift_x) == pytest.approx((0, 0), abs=1e-6)


@pytest.mark.parametrize(
    "view",
    [
        View(angle_deg=2.0, fill="edge"),
        View(shift_x=0.03, shift_y=-0.02, fill="edge"),
        View(scale=1.03, fill="edge"),
        View(angle_deg=-1.5, scale=0.98, shift_x=-0.01, gain=0.8, fill="edge"),
    ],
)
def test_a_small_move_is_found_whatever_the_light(view: View):
    found = register(moved(view), moved(View()))
    assert found.unexplained < 0.01
    assert abs(found.angle_deg) == pytest.approx(abs(view.angle_deg), abs=0.4)
    assert abs(found.log_scale) == pytest.approx(abs(view.scale - 1), abs=0.005)
    # A view's shift is of the picture before it is turned and scaled.
    assert abs(found.shift_x) == pytest.approx(abs(view.shift_x), abs=0.006)
    assert abs(found.shift_y) == pytest.approx(abs(view.shift_y), abs=0.006)


def test_unlike_pictures_stay_unexplained():
    part, surface = part_image(angle_deg=20), texture_image()
    assert register(part, surface).unexplained > 0.3
    assert register(surface, texture_image(seed=1)).unexplained > 0.3


def test_a_flat_picture_is_no_error():
    flat = torch.full((3, 64, 64), 0.5)
    register(flat, flat)
    assert register(flat, part_image(angle_deg=20, size=64)).unexplained > 0.3


@pytest.mark.parametrize("seed", range(4))
def test_pictures_that_drift_off_each_other_are_no_error(seed: int):
    # Slow light alone: what matches best lies beyond the frame.
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand(2, 1, 2, 2, generator=generator)
    slow = F.interpolate(corners, (64, 64), mode="bicubic").clamp(0, 1).expand(2, 3, 64, 64)
    found = register(slow[0], slow[1])
    assert found.unexplained >= 0.0
    assert max(abs(found.shift_x), abs(found.shift_y)) < 1.0
