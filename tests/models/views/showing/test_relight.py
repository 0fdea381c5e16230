import pytest
import torch

from models.views.showing.relight import lighting_field, relight
from models.views.view import View


def test_a_lighting_field_is_smooth_of_unit_spread_and_decided_by_its_seed():
    field = lighting_field(96, 64, 1)
    assert field.shape == (96, 64)
    assert abs(float(field.mean())) < 1e-4
    assert abs(float(field.std()) - 1) < 1e-4
    assert float(field.diff(dim=0).abs().max()) < 0.2
    assert torch.equal(field, lighting_field(96, 64, 1))
    assert not torch.equal(field, lighting_field(96, 64, 2))


def test_a_view_under_uneven_light_has_the_spread_that_was_asked_for():
    dark = torch.full((3, 96, 96), 0.02)
    lit = relight(dark, View(light=0.25, light_seed=5))
    assert abs(float((lit / dark).log()[0].std()) - 0.25) < 0.02


def test_gain_gamma_and_slope_do_what_they_say_to_what_is_dark():
    grey = torch.full((3, 8, 8), 0.04)
    close = {"rtol": 0.01, "atol": 1e-4}
    torch.testing.assert_close(relight(grey, View(gain=1.5)), 1.5 * grey, **close)
    torch.testing.assert_close(relight(grey, View(gamma=0.5)), grey.sqrt(), **close)
    sloped = relight(grey, View(light_x=0.2))
    assert float(sloped[0, 0, 0]) == pytest.approx(0.04 * 0.8, rel=0.01)
    assert float(sloped[0, 0, -1]) == pytest.approx(0.04 * 1.2, rel=0.01)
    torch.testing.assert_close(sloped[:, 0], sloped[:, -1])


@pytest.mark.parametrize("view", [View(gain=1.9), View(light=0.4, light_seed=3), View(gain=0.6)])
def test_light_saturates_nothing_and_keeps_the_order(view: View):
    steps = torch.linspace(0, 1, 256)
    lit = relight(steps[:, None, None].expand(256, 3, 64).permute(1, 0, 2), view)
    assert float(lit[:, :255].max()) < 1.0
    assert float(lit.min()) >= 0.0
    torch.testing.assert_close(lit[:, 255], torch.ones(3, 64))


def test_more_light_is_brighter_at_every_level():
    steps = torch.linspace(0, 1, 256).expand(3, 1, 256)
    assert (relight(steps, View(gain=1.9)).diff(dim=2) > 0).all()
    assert (relight(steps, View(gain=1.3)) >= relight(steps, View(gain=1.2))).all()
