import pytest
import torch

from models.views.relight import lighting_field, relight
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
    grey = torch.full((3, 96, 96), 0.2)
    lit = relight(grey, View(light=0.3, light_seed=5))
    assert abs(float((lit / grey).log()[0].std()) - 0.3) < 0.02


def test_gain_gamma_and_slope_do_what_they_say():
    grey = torch.full((3, 8, 8), 0.25)
    torch.testing.assert_close(relight(grey, View(gain=2.0)), 2 * grey)
    torch.testing.assert_close(relight(grey, View(gamma=0.5)), 2 * grey)
    sloped = relight(grey, View(light_x=0.2))
    assert float(sloped[0, 0, 0]) == pytest.approx(0.25 * 0.8)
    assert float(sloped[0, 0, -1]) == pytest.approx(0.25 * 1.2)
    torch.testing.assert_close(sloped[:, 0], sloped[:, -1])
