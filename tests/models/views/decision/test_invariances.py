import json

import pytest
import torch

from models.features.patches import PatchFeatures
from models.views.decision.invariances import (
    MOST_LOOKED_AT,
    analysed,
    decide_invariances,
    looked_at,
    requested_invariances,
)
from models.views.view import INVARIANCES, to_image
from tests.models.conftest import part_image, texture_image


def test_a_part_lying_askew_may_turn_and_one_lying_straight_may_not(features: PatchFeatures):
    """One that lies some degrees off, which a loose fixture allows, turns in fewer images."""

    def share(angle_deg: float) -> float:
        decision = decide_invariances(part_image(angle_deg=angle_deg)[None], features)
        assert ("rotate" in decision.invariances) == (angle_deg == 33)
        return decision.share("rotate")

    assert share(0) == 0.0 < share(7) < 0.5 < share(33) < 1.0


def test_several_images_tell_whether_a_part_turns(features: PatchFeatures):
    angles = (10, 64, 140, 250)
    turning = torch.stack([part_image(angle_deg=a, seed=i) for i, a in enumerate(angles)])
    standing = torch.stack([part_image(angle_deg=0, seed=i) for i in range(4)])
    shares = [
        decide_invariances(images, features).share("rotate") for images in (turning, standing)
    ]
    assert shares == [1.0, 0.0]


def test_an_oriented_texture_does_not_turn(features: PatchFeatures):
    assert "rotate" not in decide_invariances(texture_image()[None], features).invariances


def test_the_decision_is_json_able(features: PatchFeatures):
    report = decide_invariances(part_image(angle_deg=33)[None], features).as_dict()
    assert report["decided_by"] == "images"
    assert json.loads(json.dumps(report)) == report
    assert list(report["factors"]) == list(INVARIANCES)
    assert set(report["allowed"]) <= set(INVARIANCES)
    assert report["figures"]["num_images"] == 1


def test_a_part_that_hangs_on_a_wire_does_not_turn(features: PatchFeatures):
    hung = [part_image(angle_deg=a, size=256, seed=a) for a in (33, 70, 200)]
    for image in hung:
        image[:, :128, 126:130] = 0.7
    for images in (torch.stack(hung[:1]), torch.stack(hung)):
        assert not {"rotate", "rotate_90"} & decide_invariances(images, features).invariances


def test_a_lone_part_is_never_mirrored_by_decision(features: PatchFeatures):
    images = torch.stack([part_image(angle_deg=0, seed=i) for i in range(3)])
    for some in (images[:1], images):
        allowed = decide_invariances(some, features).invariances
        assert not {"flip_horizontal", "flip_vertical"} & allowed


def test_a_grain_does_not_turn_whatever_several_images_say(features: PatchFeatures):
    images = torch.stack([texture_image(seed=i) for i in range(3)])
    assert not {"rotate", "rotate_90"} & decide_invariances(images, features).invariances


def test_the_users_word_overrules_all_that_is_believed(features: PatchFeatures):
    grained = texture_image()[None]
    told = requested_invariances(frozenset({"rotate", "lighting"}), grained, features)
    assert told.invariances == {"rotate", "lighting"}
    assert told.decided_by == "request"
    assert told.light_spread > 0
    beliefs = {name: found.belief for name, found in told.beliefs.items()}
    assert beliefs == {name: float(name in told.invariances) for name in INVARIANCES}
    assert told.as_dict()["figures"] is None


def test_duplicates_of_one_picture_decide_as_one(features: PatchFeatures):
    one = part_image(angle_deg=33)[None]
    assert decide_invariances(one.expand(3, -1, -1, -1), features) == decide_invariances(
        one, features
    )


@pytest.mark.parametrize("num_images", [1, 2, 8, 9, 50])
def test_some_images_are_looked_at_the_first_among_them(num_images: int):
    numbers = looked_at(num_images)
    assert numbers[0] == 0
    assert len(numbers) == min(num_images, MOST_LOOKED_AT)
    assert numbers == sorted(set(numbers))
    assert numbers[-1] < num_images


@pytest.mark.parametrize("size", [(400, 300), (33, 900), (64, 64), (3000, 200)])
def test_every_shape_is_looked_at_in_sides_that_the_network_takes(size: tuple[int, int]):
    width, height = size
    shown = analysed(to_image(torch.full((3, height, width), 0.5)), size)
    assert all(side % 32 == 0 and side >= 64 for side in shown.shape[1:])
