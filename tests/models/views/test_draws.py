"""Views of a job's images: the same at every call, spread, and within what was decided."""

from copy import copy

import numpy as np
import pytest
import torch

from models.views.decision.invariances import InvarianceDecision
from models.views.draws import FILL_SEEDS, SWING_DEG, VIEW_SEEDS, Draws
from models.views.showing.resampling import gradient_energy, resampled
from models.views.source import working_size
from models.views.view import View, ViewLimits, to_image
from tests.models.conftest import part_image, texture_image

pytestmark = pytest.mark.slow


_undecided: dict[tuple[int | bytes, ...], Draws] = {}


def draws_of(*images: torch.Tensor, seed: int = 0, **decided: object) -> Draws:
    """Draws of their own of the images; to find a part in one takes longer than most tests."""
    key = (seed, *(image.numpy().tobytes() for image in images))
    if key not in _undecided:
        _undecided[key] = Draws([to_image(i) for i in images], 64, seed, torch.device("cpu"))
    draws = copy(_undecided[key])
    draws.sources = [copy(source) for source in draws.sources]
    if decided:
        draws.decision = InvarianceDecision(**decided)
    return draws


def test_a_draw_is_the_same_at_every_call_and_another_for_another_seed():
    draws, other = (draws_of(part_image(angle_deg=20), seed=seed) for seed in (0, 1))
    first, again = draws.draw(FILL_SEEDS, 3), draws.draw(FILL_SEEDS, 3)
    assert torch.equal(first.pixels, again.pixels)
    assert (first.view, first.seed) == (again.view, again.seed)
    assert first.view != other.draw(FILL_SEEDS, 3).view


@pytest.mark.parametrize(
    ("images", "share"),
    [
        ([part_image(angle_deg=20)], 0.5),
        ([part_image(angle_deg=a) for a in (20, 50)], 0.5),
        ([part_image(angle_deg=a) for a in (20, 50, 80)], 0.0),
        ([texture_image()], 0.0),
    ],
)
def test_of_a_part_that_few_images_show_every_second_view_keeps_the_pose(images, share):
    """A fixture may hold it exactly."""
    draws = draws_of(*images)
    draws.limits = ViewLimits().times(8.0)  # of 64 px, more than a pixel
    plans = draws.plans(FILL_SEEDS, 16 * len(images))
    kept = [plan.view.angle_deg == plan.view.shift_x == plan.view.shift_y == 0.0 for plan in plans]
    assert sum(kept) == share * len(plans)
    assert len({plan.view.gain for plan in plans}) == len(plans)


@pytest.mark.parametrize("moves", ["rotate", "shift"])
def test_a_part_that_moves_is_held_by_nothing(moves: str):
    draws = draws_of(part_image(angle_deg=20), invariances=frozenset({moves}))
    views = [plan.view for plan in draws.plans(FILL_SEEDS, 16)]
    kept = [view.angle_deg == view.shift_x == view.shift_y == 0.0 for view in views]
    assert sum(kept) < 3  # of 64 px, a shift may be none


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


def test_a_surface_is_never_zoomed_to_hide_its_edge():
    draws = draws_of(texture_image())
    plans = [draws.plan(FILL_SEEDS, n) for n in range(24)]
    assert draws.fills == ["mirror"]
    assert max(abs(plan.view.angle_deg) for plan in plans) > 0.2
    most = np.exp(ViewLimits.log_scale)
    assert all(1 / most <= plan.view.scale <= most for plan in plans)


@pytest.mark.parametrize(
    ("source", "output", "working"),
    [
        ((384, 384), (256, 256), (384, 384)),
        ((4000, 3000), (256, 192), (768, 576)),
        ((9000, 300), (2048, 64), (4096, 137)),
        ((100, 80), (256, 208), (100, 80)),
    ],
)
def test_a_source_is_worked_on_at_its_own_size_up_to_a_bound(source, output, working):
    assert working_size(source, output) == working


def test_a_lone_part_turns_on_its_ground_and_stays_whole():
    draws = draws_of(part_image(angle_deg=20), invariances=frozenset({"rotate"}))
    (ground,) = [source.part.ground.float() / 255 for source in draws.sources]
    given = int((draws.images[0].amax(dim=0) > 0.25).sum())
    for number in range(8):
        pixels = draws.draw(FILL_SEEDS, number).pixels
        assert int((pixels.amax(dim=0) > 0.25).sum()) == pytest.approx(given, rel=0.12)
        corners = pixels[:, [0, 0, -1, -1], [0, -1, 0, -1]]
        assert float(corners.max()) < 0.15
    assert float(ground.max()) < 0.15


def test_a_part_on_a_wire_does_not_turn_unless_the_user_says_so():
    hung = part_image(angle_deg=20, size=256)
    hung[:, :128, 126:130] = 0.7
    turn = frozenset({"rotate"})
    draws = draws_of(hung, invariances=turn)
    assert draws.fills == ["edge"]
    assert all(abs(draws.draw(FILL_SEEDS, n).view.angle_deg) <= 3 for n in range(6))
    told = draws_of(hung, invariances=turn, decided_by="request")
    assert any(abs(told.draw(FILL_SEEDS, n).view.angle_deg) > 10 for n in range(6))


@pytest.mark.parametrize("share", [0.12, 0.125, 0.29])
def test_the_angles_that_are_tried_lie_all_around(share: float):
    draws = draws_of(part_image(angle_deg=20), invariances=frozenset(), shares={"rotate": share})
    angles = np.array([draws.plan(FILL_SEEDS, n).view.angle_deg for n in range(80)])
    turned = np.sort(angles[np.abs(angles) > 3] % 360)
    gaps = np.diff([*turned, turned[0] + 360])
    assert gaps.max() < 2.7 * 360 / len(turned)


@pytest.mark.parametrize("share", [0.1, 0.2])
def test_what_is_tried_shows_in_its_share_of_the_images_and_in_no_other(share: float):
    draws = draws_of(part_image(angle_deg=20), invariances=frozenset(), shares={"rotate": share})
    angles = np.array([draws.plan(FILL_SEEDS, n).view.angle_deg for n in range(60)])
    turned = np.abs(angles) > 3
    assert turned.sum() == pytest.approx(60 * share, abs=2)
    # Evenly over the set, so that a part of it has its share too.
    assert turned[:30].sum() == pytest.approx(30 * share, abs=2)


def test_of_a_part_that_turns_in_some_images_every_second_other_one_keeps_its_pose():
    turns = {"rotate": 0.7}
    draws = draws_of(part_image(angle_deg=20), invariances=frozenset(turns), shares=turns)
    draws.limits = ViewLimits().times(8.0)  # of 64 px, more than a pixel
    views = [plan.view for plan in draws.plans(FILL_SEEDS, 60)]
    assert sum(abs(view.angle_deg) > 10 for view in views) == pytest.approx(42, abs=4)
    kept = [view for view in views if view.angle_deg == view.shift_x == view.shift_y == 0.0]
    assert len(kept) == 9


def test_a_part_on_a_wire_swings_where_its_ground_is_plain():
    hung = part_image(angle_deg=20, size=256)
    hung[:, :128, 126:130] = 0.7
    told = {"invariances": frozenset({"rotate"}), "decided_by": "request"}
    angles = [draws_of(hung, **told).plan(FILL_SEEDS, n).view.angle_deg for n in range(16)]
    assert -SWING_DEG <= min(angles) < -20 < 20 < max(angles) <= SWING_DEG
    some = {"invariances": frozenset(), "shares": {"rotate": 0.5}}
    angles = [abs(draws_of(hung, **some).plan(FILL_SEEDS, n).view.angle_deg) for n in range(8)]
    assert 10 < max(angles) <= SWING_DEG
    rough = hung.clone()
    stripes = 0.3 * (torch.arange(256) // 3 % 2).float()
    rough[:, :9] += stripes
    draws = draws_of(rough, **some)
    assert draws.fills == ["edge"]
    assert all(abs(draws.plan(FILL_SEEDS, n).view.angle_deg) <= 3 for n in range(8))


def test_an_image_in_which_no_part_is_found_is_not_tried_turned():
    part, other = part_image(angle_deg=20), texture_image()
    draws = draws_of(part, other, invariances=frozenset(), shares={"rotate": 0.3})
    assert draws.fills == ["ground", "mirror"]
    angles = dict.fromkeys((0, 1), 0.0)
    for number in range(24):
        plan = draws.plan(FILL_SEEDS, number)
        angles[plan.source] = max(angles[plan.source], abs(plan.view.angle_deg))
    assert angles[0] > 10
    assert angles[1] < 3


def test_views_of_several_images_differ_hardly_more_than_the_images_do():
    levels = [0.8, 0.9, 1.0, 1.1, 1.2]
    draws = draws_of(
        *(level * part_image(angle_deg=20, seed=n) for n, level in enumerate(levels)),
        invariances=frozenset(),
    )
    made = [float(draws.draw(FILL_SEEDS, n).pixels.mean().log()) for n in range(100)]
    given = float(draws.images.mean(dim=(1, 2, 3)).log().std(unbiased=False))
    assert given < np.std(made) < 1.09 * given


def test_angles_are_spread_over_the_views_of_each_source():
    sources = [part_image(angle_deg=20, seed=seed) for seed in range(3)]
    draws = draws_of(*sources, invariances=frozenset({"rotate"}))
    for source in range(3):
        angles = np.sort(
            [draws.draw(FILL_SEEDS, 3 * n + source).view.angle_deg % 360 for n in range(12)]
        )
        assert np.diff([*angles, angles[0] + 360]).max() < 2.7 * 360 / 12


def native(image: torch.Tensor) -> Draws:
    return Draws([to_image(image)], None, 0, torch.device("cpu"))


@pytest.mark.parametrize("image", [part_image(angle_deg=20, size=600), texture_image(size=600)])
def test_a_view_at_the_inputs_own_size_shows_what_the_method_saw(image):
    draws = native(image)
    draws.decision = InvarianceDecision(frozenset({"rotate"}))
    assert (draws.size, draws.seen_size, draws.work_size) == ((600, 600), (448, 448), (256, 256))
    for number in range(3):
        draw = draws.draw(FILL_SEEDS, number)
        whole = draws.shown(draw)
        assert whole.shape == (3, 600, 600)
        difference = (resampled(whole, draws.seen_size) - draw.pixels).abs()
        assert float(difference.mean()) < 0.01


def test_a_view_at_the_inputs_own_size_is_as_sharp():
    noise = 0.5 + 0.1 * torch.randn(3, 600, 600, generator=torch.Generator().manual_seed(0))
    draws = native(noise.clamp(0, 1))
    own = float(gradient_energy(draws.sources[0].pixels))
    for number in range(4):
        draw = draws.draw(FILL_SEEDS, number)
        plain = draw._replace(view=View(angle_deg=draw.view.angle_deg, shift_x=draw.view.shift_x))
        assert float(gradient_energy(draws.shown(plain))) == pytest.approx(own, rel=0.03)


def test_an_output_of_few_pixels_is_seen_as_it_is():
    draws = Draws([to_image(texture_image(size=96))], 48, 0, torch.device("cpu"))
    draw = draws.draw(FILL_SEEDS, 0)
    assert draws.size == draws.seen_size == draws.work_size == (48, 48)
    assert torch.equal(draws.shown(draw), draw.pixels)


def test_contrast_changes_about_the_images_own_brightness():
    """A dark image stays as dark: its gamma is made up for by its gain."""
    dark = 0.25 * texture_image()
    draws = draws_of(dark)
    draws.limits = ViewLimits(log_gain=0.0, log_gamma=0.3, slope=0.0)
    own = float(dark.mean())
    for number in range(6):
        assert float(draws.draw(FILL_SEEDS, number).pixels.mean()) == pytest.approx(own, rel=0.03)


def test_duplicates_of_one_picture_count_once():
    part, other = part_image(angle_deg=20), part_image(angle_deg=50, seed=1)
    draws = draws_of(part, part, other, part)
    assert draws.distinct == [0, 2]
    assert [draws.draw(FILL_SEEDS, n).source for n in range(4)] == [0, 2, 0, 2]
    assert len(draws.images) == 4
    assert torch.equal(draws.pictures, draws.images[[0, 2]])
    assert draws.limits == draws_of(part, other).limits


def test_what_is_planned_is_what_is_drawn():
    draws = draws_of(part_image(angle_deg=20), invariances=frozenset({"rotate"}))
    plan, draw = draws.plan(FILL_SEEDS, 3), draws.draw(FILL_SEEDS, 3)
    assert plan == draw[1:]
    assert torch.equal(draws.seen(plan), draw.pixels)


def test_told_that_a_part_turns_what_else_lies_on_the_ground_stays():
    beside = part_image(angle_deg=20, size=256)
    beside[:, 9:19, 10:-10] = 0.6
    turn = frozenset({"rotate"})
    draws = draws_of(beside, invariances=turn)
    assert draws.fills == ["edge"]
    told = draws_of(beside, invariances=turn, decided_by="request")
    assert told.fills == ["ground"]
    still = told.images[0][:, 2:5]
    for number in range(6):
        draw = told.draw(FILL_SEEDS, number)
        assert abs(draw.view.angle_deg) > 0
        assert float((draw.pixels[:, 2:5] - still).abs().median()) < 0.05


def test_views_of_one_image_stay_nearer_to_it_than_those_of_several():
    one, several = draws_of(texture_image()), draws_of(*[texture_image(seed=n) for n in range(5)])
    shifts = [
        np.median([abs(draws.draw(FILL_SEEDS, n).view.shift_x) for n in range(60)])
        for draws in (one, several)
    ]
    assert shifts[0] < 0.7 * shifts[1]


def test_a_long_part_is_turned_so_little_that_its_ends_move_as_a_squares_do():
    long = texture_image(size=640)[:, :64]
    angles = [abs(draws_of(long).draw(FILL_SEEDS, n).view.angle_deg) for n in range(8)]
    assert 0 < max(angles) <= ViewLimits.angle_deg / 10


def test_half_of_the_views_are_turned_by_half_and_fewer_on_the_belief_of_one_image():
    """One image does not tell whether a fixture holds the part: a pose that is kept is kept."""
    half = {"invariances": frozenset({"half_turn"})}
    plans = draws_of(part_image(angle_deg=20), **half).plans(FILL_SEEDS, 200)
    assert sum(plan.view.half_turn for plan in plans) == 25
    assert not any(plan.view.half_turn for plan in plans[1::2])
    several = draws_of(*[part_image(angle_deg=20, seed=n) for n in range(3)], **half)
    for draws in (several, draws_of(part_image(angle_deg=20), decided_by="request", **half)):
        found = sum(plan.view.half_turn for plan in draws.plans(FILL_SEEDS, 200))
        assert found == pytest.approx(100, abs=4)


def test_fewer_views_are_mirrored_on_a_belief_than_on_a_users_word():
    def mirrored(**decided: object) -> int:
        draws = draws_of(texture_image(), invariances=frozenset({"flip_vertical"}), **decided)
        return sum(draws.plan(FILL_SEEDS, n).view.flip_vertical for n in range(100))

    assert 5 <= mirrored() <= 25
    assert 38 <= mirrored(decided_by="request") <= 62
