"""A lone part moves; its ground stays, continued where the part lay."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from models.views.showing.lone_part import LonePart, _mean_around
from models.views.view import View
from tests.models.conftest import part_image, shadowed_part, texture_image

SIZE = 192


def sloped_part() -> torch.Tensor:
    """A bright part on a ground whose brightness rises and that has a grain."""
    image = part_image(angle_deg=20, size=SIZE)
    generator = torch.Generator().manual_seed(0)
    ground = torch.linspace(0.1, 0.2, SIZE) + 0.01 * torch.randn(SIZE, SIZE, generator=generator)
    return torch.where(image[:1] > 0.25, image, ground.expand(3, -1, -1)).clamp(0, 1)


@pytest.fixture(scope="module")
def part() -> LonePart:
    found = LonePart.find(sloped_part())
    assert found is not None
    return found


def test_there_is_none_on_a_texture():
    assert LonePart.find(texture_image(size=SIZE)) is None


def test_the_ground_is_continued_with_its_slope_and_its_grain(part: LonePart):
    ground = part.ground.float() / 255
    for columns in (slice(60, 90), slice(90, 120)):
        under = ground[:, 80:112, columns]
        expected = torch.linspace(0.1, 0.2, SIZE)[columns].mean()
        assert float(under.mean()) == pytest.approx(float(expected), abs=0.01)
    grain = [g.diff(dim=2).std() for g in (ground[:, 80:112, 80:112], ground[:, :20])]
    assert float(grain[0] / grain[1]) == pytest.approx(1.0, abs=0.15)


def test_a_part_that_stays_shows_the_image(part: LonePart):
    image = sloped_part()
    shown = part.shown(image, View(fill="ground"), (SIZE, SIZE))
    assert float((shown - image).abs().mean()) < 0.004


def test_ground_far_from_the_part_is_the_images_own(part: LonePart):
    image, view = sloped_part(), View(angle_deg=140, fill="ground")
    shown = part.shown(image, part.placed(view, (SIZE, SIZE)), (SIZE, SIZE))
    torch.testing.assert_close(shown[:, :8], image[:, :8], atol=0.01, rtol=0)
    torch.testing.assert_close(shown[:, -8:], image[:, -8:], atol=0.01, rtol=0)


def test_a_placed_part_lies_whole_in_the_frame_at_any_wish(part: LonePart):
    rng = np.random.default_rng(0)
    area = int((sloped_part().amax(dim=0) > 0.3).sum())
    for _ in range(10):
        shift_x, shift_y = rng.uniform(-0.5, 0.5, 2)
        view = View(rng.uniform(-180, 180), shift_x=shift_x, shift_y=shift_y, fill="ground")
        shown = part.shown(sloped_part(), part.placed(view, (SIZE, SIZE)), (SIZE, SIZE))
        seen = shown.amax(dim=0) > 0.3
        assert int(seen.sum()) == pytest.approx(area, rel=0.03)
        assert not bool(seen[[0, -1]].any() or seen[:, [0, -1]].any())


def test_a_part_too_long_to_lie_across_takes_the_nearest_angle_that_fits():
    wide = torch.full((3, 96, 256), 0.1)
    wide[:, 36:60, 30:226] = 0.7
    part = LonePart.find(wide)
    assert part is not None
    assert part.placed(View(angle_deg=100, fill="ground"), (256, 96)).angle_deg % 180 < 30 or (
        part.placed(View(angle_deg=100, fill="ground"), (256, 96)).angle_deg % 180 > 150
    )
    small = part.placed(View(angle_deg=4, fill="ground"), (256, 96))
    assert small.angle_deg == 4


def test_a_shadow_goes_along_as_a_difference_and_shows_no_edge_on_another_ground():
    steps = torch.linspace(-1, 1, SIZE)
    down, across = torch.meshgrid(steps, steps, indexing="ij")
    away = torch.hypot(down - 0.3, across + 0.3)
    shadow = 0.12 * torch.exp(-(((away - 0.3).clamp_min(0) / 0.12) ** 2))
    image = (0.6 + 0.06 * across - shadow).expand(3, -1, -1).clone()
    image[:, away < 0.25] = 0.1
    part = LonePart.find(image)
    assert part is not None
    view = View(angle_deg=180, shift_x=-0.3, shift_y=0.3, fill="ground")
    shown = part.shown(image, part.placed(view, (SIZE, SIZE)), (SIZE, SIZE))
    outside = shown[0] > 0.3
    pairs = outside[:, 1:] & outside[:, :-1]
    assert float(shown[0].diff(dim=1).abs()[pairs].max()) < 0.025


def test_a_part_that_is_seen_through_stays_as_light_as_its_ground():
    """Turned round, else it would be bright where the ground is dark."""
    steps = torch.linspace(-1, 1, SIZE)
    down, across = torch.meshgrid(steps, steps, indexing="ij")
    away = torch.hypot(down, across)
    ground = (0.5 + 0.15 * across).expand(3, -1, -1)
    rim = (away > 0.5) & (away < 0.56)
    image = torch.where(rim, ground + 0.1, ground)
    part = LonePart.find(image)
    assert part is not None
    view = View(angle_deg=180, fill="ground")
    shown = part.shown(image, part.placed(view, (SIZE, SIZE)), (SIZE, SIZE))
    within = (away < 0.45).expand(3, -1, -1)
    # Turned as it is, it would be off by .13.
    assert float((shown - ground)[within].abs().max()) < 0.06


@pytest.mark.parametrize("size", [(3, 40, 64), (3, 9, 5), (1, 1, 1)])
def test_the_mean_around_is_a_poolings_to_the_bit(size):
    x = torch.rand(size, generator=torch.Generator().manual_seed(0))
    padded = F.pad(x[None], (1,) * 4, mode="replicate")
    assert torch.equal(_mean_around(x), F.avg_pool2d(padded, 3, 1)[0])


def test_a_part_turns_whose_soft_shadow_runs_out_of_the_picture():
    image, itself = shadowed_part()
    part = LonePart.find(image)
    assert part is not None
    # It is to stay in the frame, its shadow need not.
    assert float(part.outline[:, 1].max()) == pytest.approx((128 + 85) / 256, abs=0.01)
    view = part.placed(View(angle_deg=90.0, fill="ground"), (256, 256))
    assert view.angle_deg == 90.0
    shown = part.shown(image, view, (256, 256))
    dark = shown[0] < 0.4
    assert int(dark.sum()) == pytest.approx(int(itself.sum()), rel=0.02)
    assert not bool(dark[[0, -1]].any() | dark[:, [0, -1]].any())
    # Where it lay the ground is no darker than a shadow.
    left = itself & ~dark
    assert float(shown[0][left].quantile(0.05)) > 0.5
