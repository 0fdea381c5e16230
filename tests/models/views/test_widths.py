"""The posterior: narrow where good parts are alike, wide where they are not, usual for one."""

import numpy as np
import pytest
import torch

from models.views.showing.warp import apply_view
from models.views.view import USUAL_LIMITS, View
from models.views.widths import MOST, widths_of
from tests.models.conftest import part_image, texture_image

POSE = ("angle_deg", "shift_x", "shift_y", "log_scale")


def parts(*views: View) -> torch.Tensor:
    image = part_image(angle_deg=20, size=192)
    return torch.stack([apply_view(image, view, (128, 128)) for view in views])


def test_one_image_has_the_usual_widths():
    assert widths_of(parts(View())).limits == USUAL_LIMITS


def test_parts_that_lie_and_shine_alike_have_narrow_views():
    found = widths_of(
        parts(*[View(gain=1 + 0.001 * n, shift_x=0.001 * n, fill="edge") for n in range(5)])
    )
    assert found.lie_alike
    for name in (*POSE, "log_gain", "log_gamma", "slope"):
        assert getattr(found.limits, name) < 0.6 * getattr(USUAL_LIMITS, name), name


SET_UP = View(shift_x=0.02, fill="edge")


@pytest.mark.parametrize(
    "set_ups", [[View()] * 4, [View()] * 3 + [SET_UP] * 2, [SET_UP] + [View()] * 4]
)
def test_parts_that_a_fixture_holds_exactly_are_not_moved_though_it_was_set_up_anew(set_ups):
    noise = torch.Generator().manual_seed(0)
    images = parts(*set_ups)
    images = (images + 0.004 * torch.randn(images.shape, generator=noise)).clamp(0, 1)
    found = widths_of(images)
    assert all(getattr(found.limits, name) == 0.0 for name in POSE)
    assert found.limits.log_gain > 0.0


def test_one_picture_in_two_files_says_nothing_of_a_fixture():
    found = widths_of(parts(View(), View(gain=1.002)))
    assert all(getattr(found.limits, name) > 0.0 for name in POSE)


def test_parts_that_lie_a_little_otherwise_have_views_as_wide():
    angles = [-4.0, -2.0, 0.0, 2.0, 4.0]
    found = widths_of(parts(*[View(angle_deg=angle, fill="edge") for angle in angles]))
    assert found.lie_alike
    assert found.limits.angle_deg == pytest.approx(np.sqrt(3) * np.std(angles, ddof=1), rel=0.2)


def test_parts_that_shine_otherwise_have_views_as_bright_within_a_bound():
    gains = [0.5, 0.7, 0.85, 1.0]
    found = widths_of(parts(*[View(gain=gain, fill="edge") for gain in gains]))
    assert 2 * USUAL_LIMITS.log_gain < found.limits.log_gain <= MOST.log_gain


def test_surfaces_keep_the_usual_pose_and_no_more_than_the_usual_light():
    surfaces = torch.stack([0.2 * n + 0.4 * texture_image(seed=n) for n in range(3)])
    found = widths_of(surfaces)
    assert not found.lie_alike
    assert all(getattr(found.limits, n) == getattr(USUAL_LIMITS, n) for n in POSE)
    assert found.limits.log_gain == USUAL_LIMITS.log_gain


def test_a_profile_that_runs_through_the_frame_is_shifted_along_itself_no_farther_than_a_bound():
    profile = torch.linspace(0, 3, 128).cos().square()[None, None, :].expand(3, 128, 128)
    noise = torch.Generator().manual_seed(0)
    images = torch.stack(
        [(profile + 0.01 * torch.randn(3, 128, 128, generator=noise)).clamp(0, 1) for _ in range(5)]
    )
    limits = widths_of(images).limits
    assert all(getattr(limits, name) <= getattr(MOST, name) for name in POSE)
