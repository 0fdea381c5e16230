"""Each family alone on the images: it shows, and nothing else does."""

import itertools

import pytest
import torch

from models.features.patches import PatchFeatures
from models.views.decision.invariances import InvarianceDecision, analysed, decide_invariances
from models.views.draws import FILL_SEEDS, VIEW_SEEDS, Draws
from models.views.families import (
    NOTHING_ELSE,
    NUM_SHOWN,
    SWUNG,
    TITLES,
    family_views,
    show_families,
)
from models.views.view import INVARIANCES, View, to_image
from tests.models.conftest import part_image, texture_image

# What a family changes of a view, beside what moves with it: a part turns about its own middle.
CHANGES = {
    "rotate": {"angle_deg", "shift_x", "shift_y"},
    "rotate_90": {"angle_deg", "shift_x", "shift_y"},
    "half_turn": {"half_turn"},
    "flip_horizontal": {"flip_horizontal", "shift_x", "shift_y"},
    "flip_vertical": {"flip_vertical", "shift_x", "shift_y"},
    "shift": {"shift_x", "shift_y"},
    "scale": {"scale", "shift_x", "shift_y"},
    "brightness": {"gain", "gamma"},
    "lighting": {"light"},
}
MADE_BY_HAND = {"light_seed", "fill"}


def draws_of(*images: torch.Tensor) -> Draws:
    draws = Draws([to_image(image) for image in images], 64, 0, torch.device("cpu"))
    draws.limits = NOTHING_ELSE
    return draws


def changed(view: View) -> set[str]:
    plain = View().as_dict()
    found = {name for name, value in view.as_dict().items() if value != plain[name]}
    return found - MADE_BY_HAND


@pytest.mark.parametrize("name", INVARIANCES)
def test_a_family_shows_and_no_other_does(name: str):
    draws = draws_of(part_image(angle_deg=20, size=96))
    views = family_views(draws, name)
    assert 1 <= len(views) <= NUM_SHOWN
    assert all(float((view - draws.images[0]).abs().mean()) > 0.005 for view in views)
    for one, other in itertools.pairwise(views):
        assert not torch.equal(one, other)
    for number in range(8):
        assert changed(draws.plan(VIEW_SEEDS, number).view) <= CHANGES[name]


def test_several_images_take_their_turn():
    images = [part_image(angle_deg=a, size=96, seed=a) for a in (10, 40, 80)]
    draws = draws_of(*images)
    views = family_views(draws, "brightness")
    nearest = [
        int(torch.stack([(v - i).abs().mean() for i in draws.images]).argmin()) for v in views
    ]
    assert sorted(nearest) == [0, 1, 2]


def test_all_families_are_told_as_a_job_decides_them(features: PatchFeatures):
    image = to_image(part_image(angle_deg=33))
    seen = analysed(image, image.size)[None]
    families = show_families([image], seen, features, 64)
    assert [family.name for family in families] == list(INVARIANCES) == list(TITLES)
    decision = decide_invariances(seen, features)
    assert {f.name for f in families if f.chosen} == decision.invariances
    for family in families:
        assert family.belief == decision.beliefs[family.name].belief
        assert all(view.shape == (3, 64, 64) for view in family.views)


@pytest.mark.parametrize("image", [part_image(angle_deg=33), texture_image()])
def test_what_is_ticked_is_what_a_job_makes(image: torch.Tensor):
    """The views of a job that is told: in those families all of them, and in no other."""
    told = frozenset({"rotate_90", "brightness"})
    draws = Draws([to_image(image)], 64, 0, torch.device("cpu"))
    draws.decision = InvarianceDecision(told, decided_by="request")
    views = [draws.draw(FILL_SEEDS, number).view for number in range(24)]
    usual = draws.limits
    assert {round(view.angle_deg / 90) % 4 for view in views} == {0, 1, 2, 3}
    for view in views:
        off = abs((view.angle_deg + 45) % 90 - 45)
        assert off <= usual.angle_deg + 1e-6
        assert not (view.flip_horizontal)
        assert not (view.flip_vertical)
        assert view.light == 0
    assert max(view.gamma for view in views) > 1 + 2 * usual.log_gamma


def test_what_hangs_is_said_to_swing(features: PatchFeatures):
    hung = part_image(angle_deg=20, size=256)
    hung[:, :128, 126:130] = 0.7
    for shown, title in ((hung, SWUNG), (part_image(angle_deg=20, size=256), TITLES["rotate"])):
        images = [to_image(shown)]
        seen = torch.stack([analysed(image, images[0].size) for image in images])
        rotate = show_families(images, seen, features, 64)[0]
        assert (rotate.name, rotate.title) == ("rotate", title)
