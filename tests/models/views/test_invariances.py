import torch

from models.features.patches import PatchFeatures
from models.views.invariances import decide_invariances, lone_part_mask, mirror_axis_deg
from tests.models.conftest import part_image, texture_image


def test_the_mirror_axis_of_a_lone_part_is_found():
    for angle in (0, 30, 72, 140):
        found = mirror_axis_deg(part_image(angle_deg=angle))
        assert found is not None
        assert abs((found - angle + 90) % 180 - 90) <= 6


def test_a_texture_has_no_lone_part():
    assert lone_part_mask(texture_image()) is None
    assert mirror_axis_deg(texture_image()) is None


def test_lines_on_a_ground_are_no_part():
    lines = torch.full((3, 128, 128), 0.3)
    lines[:, 10:-10:16, 4:-4] = 0.9
    lines[:, 11:-10:16, 4:-4] = 0.9
    assert lone_part_mask(lines) is None


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
