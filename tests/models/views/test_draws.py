"""Views of a job's images: the same at every call, spread, and within what was decided."""

import numpy as np
import pytest
import torch
from PIL import Image

from models.views.draws import FILL_SEEDS, VIEW_SEEDS, Draws
from models.views.invariances import InvarianceDecision
from models.views.view import to_image
from tests.models.conftest import part_image, texture_image


def draws_of(*images: torch.Tensor, seed: int = 0, **decided: object) -> Draws:
    draws = Draws([to_image(i) for i in images], 64, seed, torch.device("cpu"))
    if decided:
        draws.decision = InvarianceDecision(**({"evidence": {}} | decided))
    return draws


def test_a_draw_is_the_same_at_every_call_and_another_for_another_seed():
    draws, other = (draws_of(part_image(angle_deg=20), seed=seed) for seed in (0, 1))
    first, again = draws.draw(FILL_SEEDS, 3), draws.draw(FILL_SEEDS, 3)
    assert torch.equal(first.pixels, again.pixels)
    assert (first.view, first.seed) == (again.view, again.seed)
    assert first.view != other.draw(FILL_SEEDS, 3).view


def test_kinds_of_draws_differ():
    draws = draws_of(part_image(angle_deg=20))
    assert draws.draw(VIEW_SEEDS, 0).view != draws.draw(FILL_SEEDS, 0).view


def test_images_take_turns_as_sources():
    draws = draws_of(part_image(angle_deg=20), part_image(angle_deg=50), texture_image())
    assert [draws.draw(FILL_SEEDS, n).source for n in range(4)] == [0, 1, 2, 0]
    assert draws.fills == ["ground", "ground", "mirror"]


def test_the_angles_of_a_set_lie_all_around():
    draws = draws_of(part_image(angle_deg=20), invariances=frozenset({"rotate"}))
    angles = np.sort([draws.draw(FILL_SEEDS, n).view.angle_deg % 360 for n in range(24)])
    gaps = np.diff([*angles, angles[0] + 360])
    assert gaps.max() < 2.7 * 360 / 24


def test_light_falls_unevenly_only_where_it_may():
    lit = {"invariances": frozenset({"lighting"}), "light_spread": 0.3}
    assert draws_of(texture_image(), **lit).draw(FILL_SEEDS, 0).view.light == 0.3
    fixed = {"invariances": frozenset(), "light_spread": 0.3}
    assert draws_of(texture_image(), **fixed).draw(FILL_SEEDS, 0).view.light == 0.0


@pytest.mark.parametrize(("side", "factor"), [(64, 1), (96, 2), (500, 2)])
def test_a_larger_source_is_worked_on_at_a_multiple(side: int, factor: int):
    picture = Image.new("RGB", (side, side))
    assert Draws([picture], 64, 0, torch.device("cpu")).factor == factor
