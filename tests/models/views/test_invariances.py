import torch

from models.features.patches import PatchFeatures
from models.views.invariances import decide_invariances, mirror_axis_deg
from tests.models.conftest import part_image, texture_image


def test_the_mirror_axis_of_a_lone_part_is_found():
    for angle in (0, 30, 72, 140):
        found = mirror_axis_deg(part_image(angle_deg=angle))
        assert found is not None
        assert abs((found - angle + 90) % 180 - 90) <= 6


def test_a_texture_has_no_mirror_axis():
    assert mirror_axis_deg(texture_image()) is None


def test_a_part_lying_askew_may_turn_and_one_lying_straight_may_not(features: PatchFeatures):
    askew = decide_invariances(part_image(angle_deg=33)[None], features)
    straight = decide_invariances(part_image(angle_deg=0)[None], features)
    assert "rotate" in askew.invariances
    assert "rotate" not in straight.invariances


def test_several_images_tell_whether_a_part_turns(features: PatchFeatures):
    angles = (10, 64, 140, 250)
    turning = torch.stack([part_image(angle_deg=a, seed=i) for i, a in enumerate(angles)])
    standing = torch.stack([part_image(angle_deg=0, seed=i) for i in range(4)])
    assert "rotate" in decide_invariances(turning, features).invariances
    assert "rotate" not in decide_invariances(standing, features).invariances


def test_an_oriented_texture_does_not_turn(features: PatchFeatures):
    assert "rotate" not in decide_invariances(texture_image()[None], features).invariances


def test_the_decision_is_json_able(features: PatchFeatures):
    report = decide_invariances(part_image(angle_deg=33)[None], features).as_dict()
    assert report["decided_by"] == "images"
    assert "rotate" in report["distance_ratio"]


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
