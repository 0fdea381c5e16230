"""What images say: laws of the figures, on parts and surfaces made for it."""

import pytest
import torch

from models.features.patches import PatchFeatures
from models.views.decision.evidence import evidence_of
from models.views.decision.seen import PROBES, look_at
from tests.models.conftest import part_image, texture_image

pytestmark = pytest.mark.slow


def round_part(*, seed: int = 0, size: int = 128, x: float = 0.0) -> torch.Tensor:
    """Rings about a middle that lies `x` of the side off the image's."""
    noise = torch.Generator().manual_seed(seed)
    steps = torch.linspace(-0.5, 0.5, size)
    radius = torch.hypot(steps[:, None], steps[None] - x)
    grey = torch.where(radius < 0.3, 0.6 + 0.2 * torch.cos(60 * radius), torch.tensor(0.1))
    return (grey + 0.02 * torch.randn(size, size, generator=noise)).clamp(0, 1).repeat(3, 1, 1)


def test_a_turn_hardly_shows_on_a_round_part_and_does_on_another(features: PatchFeatures):
    round_one, other = (
        evidence_of(image[None], features) for image in (round_part(), part_image(angle_deg=0))
    )
    for name in ("rotate", "rotate_90"):
        assert 1.5 * round_one.to_itself[name] < other.to_itself[name]
    assert round_one.to_others == other.to_others == {}
    assert round_one.spread == other.spread == {}


def test_neither_its_place_nor_the_others_number_changes_what_a_part_says(features: PatchFeatures):
    here, there = (look_at(round_part(x=x), features).to_itself["rotate"] for x in (0.0, 0.15))
    assert here == pytest.approx(there, rel=0.25)
    one = evidence_of(round_part()[None], features)
    same = evidence_of(round_part()[None].expand(3, -1, -1, -1), features)
    assert same == one
    assert same.num_images == 1


def test_the_other_images_tell_whether_parts_lie_turned(features: PatchFeatures):
    angles = (10, 64, 140, 250)
    turning = torch.stack([part_image(angle_deg=a, seed=n) for n, a in enumerate(angles)])
    standing = torch.stack([part_image(angle_deg=0, seed=n) for n in range(4)])
    turned, stood = (evidence_of(images, features) for images in (turning, standing))
    assert turned.to_others["rotate"] < 1.1 < stood.to_others["rotate"]
    assert (turned.askew, stood.askew) == (1.0, 0.0)
    assert stood.axes_apart < 0.02
    assert turned.axes_apart > 0.2
    assert (stood.alike, turned.alike) == (1.0, 0.0)
    assert stood.lie_alike
    little = evidence_of(part_image(angle_deg=7)[None], features)
    assert 0.0 < little.askew < 1.0


def test_parts_that_lie_alike_at_an_odd_angle_are_told_from_round_ones(features: PatchFeatures):
    held = torch.stack([part_image(angle_deg=a, seed=n) for n, a in enumerate((22, 25, 24))])
    assert evidence_of(held, features).alike == 1.0
    assert evidence_of(held[:1], features).alike == 0.0
    # However these lie, they lie on each other.
    plain = torch.stack([round_part(seed=n) for n in range(3)])
    assert evidence_of(plain, features).alike == 0.0


def test_light_from_one_side_is_told_from_light_from_any(features: PatchFeatures):
    def lit(angle_deg: float, seed: int) -> torch.Tensor:
        down, across = torch.meshgrid(*[torch.linspace(-1, 1, 128)] * 2, indexing="ij")
        angle = torch.deg2rad(torch.tensor(angle_deg))
        slope = 1 + 0.2 * (torch.cos(angle) * across + torch.sin(angle) * down)
        is_part = torch.hypot(down, across) < 0.5 + 0.01 * seed
        grain = torch.randn(128, 128, generator=torch.Generator().manual_seed(seed))
        return (torch.where(is_part, 0.6, 0.1) * slope + 0.02 * grain).clamp(0, 1).repeat(3, 1, 1)

    one_side = torch.stack([lit(10.0 * n, n) for n in range(4)])
    any_side = torch.stack([lit(180.0 * n + 5.0, n) for n in range(4)])
    figures = [evidence_of(images, features).one_sided for images in (one_side, any_side)]
    assert figures[0] > 0.8
    assert figures[1] < 0.0
    assert evidence_of(one_side[:1], features).one_sided == 0.0


def test_places_and_sizes_of_parts_are_measured(features: PatchFeatures):
    xs = (-0.1, 0.0, 0.1)
    images = torch.stack([round_part(seed=n, x=x) for n, x in enumerate(xs)])
    spread = evidence_of(images, features).spread
    # Of the place, the mean over both directions.
    assert spread["shift"] == pytest.approx(0.1 / 2**0.5, rel=0.1)
    assert spread["scale"] < 0.01
    small = torch.nn.functional.interpolate(round_part()[None], size=(96, 96))[0]
    padded = torch.full((3, 128, 128), 0.1)
    padded[:, 16:112, 16:112] = small
    sizes = torch.stack([round_part(), padded])
    assert evidence_of(sizes, features).spread["scale"] == pytest.approx(0.2034, rel=0.15)


def test_brightness_is_measured_and_a_surface_has_no_place(features: PatchFeatures):
    images = torch.stack([(1 + 0.2 * n) * 0.7 * texture_image(seed=n) for n in range(3)])
    evidence = evidence_of(images, features)
    assert evidence.spread.keys() == {"brightness"}
    assert evidence.spread["brightness"] == pytest.approx(0.168, rel=0.05)
    assert not evidence.is_part


def test_what_hangs_is_held_at_the_frame_and_what_lies_beside_another_is_held(
    features: PatchFeatures,
):
    free, hung, beside = (part_image(angle_deg=33, size=256) for _ in range(3))
    hung[:, :128, 126:130] = 0.7
    beside[:, 200:245, 10:80] = 0.6
    told = [evidence_of(image[None], features) for image in (free, hung, beside)]
    assert [(e.held, e.at_frame) for e in told] == [(0.0, 0.0), (1.0, 1.0), (1.0, 0.0)]


def test_the_figures_are_json_able(features: PatchFeatures):
    report = evidence_of(torch.stack([texture_image(), texture_image(seed=1)]), features).as_dict()
    assert report["to_itself"].keys() == report["to_others"].keys() == PROBES.keys()
    assert report["grain"]["coherence"] > 0.2
