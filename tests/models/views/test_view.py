import numpy as np
import pytest
from PIL import Image

from app.images.output_size import output_size as app_output_size
from models.views.view import (
    INVARIANCES,
    WIDEST,
    View,
    ViewLimits,
    draw_view,
    output_size,
)


def test_without_invariances_views_stay_small():
    rng = np.random.default_rng(0)
    views = [draw_view(frozenset(), rng) for _ in range(100)]
    assert max(abs(v.angle_deg) for v in views) <= ViewLimits.angle_deg
    assert not any(v.flip_horizontal or v.flip_vertical for v in views)


# How uneven the light gets is no range but a figure of the images, and a half turn is one.
@pytest.mark.parametrize("name", sorted({*INVARIANCES} - {"lighting", "half_turn"}))
def test_each_invariance_widens_what_is_drawn(name: str):
    def spread(invariances: frozenset[str]) -> np.ndarray:
        rng = np.random.default_rng(0)
        rows = [
            list(vars(draw_view(invariances, rng, fill="ground")).values())[:-1] for _ in range(200)
        ]
        return np.asarray(rows, dtype=float).std(axis=0)

    assert (spread(frozenset({name})) > 1.5 * spread(frozenset()) + 1e-9).any()


def test_light_gets_as_uneven_as_the_images_say_and_only_where_it_may():
    rng = np.random.default_rng(0)
    assert draw_view(frozenset({"lighting"}), rng, light_spread=0.3).light == 0.3
    assert draw_view(frozenset(), rng, light_spread=0.3).light == 0.0


def test_half_of_the_small_views_only_shift():
    rng = np.random.default_rng(0)
    views = [draw_view(frozenset(), rng) for _ in range(200)]
    assert 70 < sum(view.angle_deg == 0 and view.scale == 1 for view in views) < 130
    turned = [draw_view(frozenset({"rotate"}), rng) for _ in range(50)]
    assert all(view.angle_deg for view in turned)


def test_the_turn_places_the_angle_in_its_range():
    rng = np.random.default_rng(0)
    angles = [draw_view(frozenset({"rotate"}), rng, turn=t).angle_deg for t in (0.0, 0.25, 0.5)]
    assert angles == [-180.0, -90.0, 0.0]


def test_the_same_seed_draws_the_same_views():
    first, second = (draw_view(frozenset(INVARIANCES), np.random.default_rng(7)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("size", [(384, 384), (384, 288), (4096, 128), (100, 900), (32, 640)])
@pytest.mark.parametrize("long_side", [None, 64, 256, 1000])
def test_the_method_and_the_api_have_one_rule_of_size(size, long_side):
    assert output_size(Image.new("RGB", size), long_side) == app_output_size(size, long_side)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shift", lambda view: abs(view.shift_x)),
        ("scale", lambda view: abs(np.log(view.scale))),
        ("brightness", lambda view: abs(np.log(view.gain))),
    ],
)
def test_a_family_goes_as_far_as_the_images_show_and_without_them_to_its_bound(name, value):
    def widest(spread: dict[str, float]) -> float:
        rng = np.random.default_rng(0)
        drawn = (
            draw_view(frozenset({name}), rng, fill="ground", spread=spread) for _ in range(300)
        )
        return max(value(view) for view in drawn)

    seen = 0.03
    assert 0.9 * np.sqrt(3) * seen < widest({name: seen}) <= np.sqrt(3) * seen
    assert widest({}) == pytest.approx(WIDEST[name], rel=0.05)
    assert widest({name: 9.0}) == pytest.approx(WIDEST[name], rel=0.05)


def test_poses_are_told_apart():
    poses = [
        View(gain=1.1).pose,
        View(shift_x=0.004).pose,
        View(angle_deg=40).pose,
        View(half_turn=True).pose,
        View(flip_horizontal=True).pose,
    ]
    assert len(set(poses)) == len(poses)
    assert View(angle_deg=-1, scale=1.01).pose == View(shift_x=0.004).pose
    assert View(angle_deg=-170, shift_y=0.1).pose == View(angle_deg=40).pose
