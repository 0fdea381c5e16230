from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from models.generator.sampling import SamplingSettings
from models.guard.normality import Look
from models.job.fill import CANDIDATE_BUDGET, MORE_BUDGETS, choose, fill
from models.job.making import make
from models.job.options import PipelineOptions
from models.views.decision.invariances import InvarianceDecision
from models.views.draws import FILL_SEEDS
from models.views.view import ViewLimits, to_image
from tests.models.conftest import part_image
from tests.models.job.conftest import generation_of, picture

BLIND = PipelineOptions(
    varied_share=1.0, sampling=SamplingSettings(unit_sigma=True, scale=50.0, output="decode")
)


def test_no_two_images_are_alike_and_each_passed_the_guard(pipeline, prepared):
    accepted = fill(generation_of(pipeline.models, num_images=5), prepared)
    assert len(accepted.images) == 5
    assert accepted.patches == []  # a draft has nothing to choose from
    pictures = [image.pixels.astype(float) for image in accepted.images]
    for i, first in enumerate(pictures):
        for second in pictures[:i]:
            assert np.abs(first - second).mean() > 0.5
    assert all(image.scores["guard_distance"] <= 1.0 for image in accepted.images)


def test_turned_images_are_spread_over_the_circle(pipeline, prepared):
    generation = generation_of(pipeline.models, num_images=6)
    generation.draws.decision = InvarianceDecision(frozenset({"rotate"}))
    images = fill(generation, prepared).images
    angles = sorted(float(image.transform["angle_deg"]) % 360 for image in images)
    assert np.diff([*angles, angles[0] + 360]).min() > 20


def test_a_blind_generator_is_caught_by_the_guard_within_the_budget(pipeline, prepared):
    accepted = fill(generation_of(pipeline.models, BLIND), prepared)
    assert len(accepted.images) < 2
    assert accepted.rejections["anomalous"] > 0
    made = len(accepted.images) + sum(accepted.rejections.values())
    assert made == 2 * CANDIDATE_BUDGET


def test_a_copy_is_kept_out_without_a_look_at_its_patches(pipeline, prepared, monkeypatch):
    fill(generation_of(pipeline.models, num_images=2), prepared)
    looked_at = []
    look = prepared.guard.look
    monkeypatch.setattr(
        prepared.guard, "look", lambda images: looked_at.extend(images) or look(images)
    )
    accepted = fill(generation_of(pipeline.models, num_images=2), prepared)
    copies = [rejected for rejected in accepted.rejected if rejected.reason == "near_copy"]
    assert len(copies) >= 2
    assert {(copy.guard_distance, copy.place) for copy in copies} == {(None, None)}
    assert len(looked_at) == len(accepted.images) + accepted.rejections["anomalous"]


def test_where_good_parts_hardly_differ_less_makes_an_image_another(pipeline, prepared):
    generation = generation_of(pipeline.models, num_images=3)
    generation.draws.limits = ViewLimits(0.0, 0.0, 0.0, 0.0, 0.006, 0.0, 0.0)
    before = prepared.guard.copy_difference
    accepted = fill(generation, prepared)
    assert len(accepted.images) == 3
    assert accepted.rejections["near_copy"] > 3 * CANDIDATE_BUDGET / 2
    nearest = [image.scores["nearest_distance"] for image in accepted.images]
    assert before / 2**MORE_BUDGETS <= min(nearest) < before
    assert prepared.guard.copy_difference == before
    generation.draws.limits = ViewLimits(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    nothing = fill(generation, prepared)
    assert nothing.images == []
    assert nothing.rejections["near_copy"] == (1 + MORE_BUDGETS) * 3 * CANDIDATE_BUDGET


def test_without_a_guard_nothing_is_rejected(pipeline, prepared):
    accepted = fill(generation_of(pipeline.models, replace(BLIND, guard=False)), prepared)
    assert len(accepted.images) == 2
    assert sum(accepted.rejections.values()) == 0


@pytest.mark.parametrize(("share", "scales"), [(0.0, {0.0}), (1.0, {2.0, 1.0, 0.5})])
def test_a_share_of_the_images_is_varied_and_the_others_are_views(
    pipeline, prepared, share, scales
):
    options = PipelineOptions(varied_share=share)
    images = fill(generation_of(pipeline.models, options, num_images=3), prepared).images
    assert {image.transform["sigma_scale"] for image in images} <= scales
    assert {image.kind for image in images} == {"varied" if share else "view"}


def test_what_moves_all_that_is_seen_may_be_as_strange_as_its_view(pipeline, prepared, monkeypatch):
    monkeypatch.setattr(prepared.guard, "threshold", prepared.guard.threshold / 20)
    hung = part_image(angle_deg=20, size=256)
    hung[:, :128, 126:130] = 0.7  # on a wire

    def looks(image: Image.Image, share: float) -> tuple[Look, Look]:
        """What the guard says of an image and of the view that it is made of."""
        options = PipelineOptions(varied_share=share)
        generation = generation_of(pipeline.models, options, images=[image])
        draw = generation.draws.draw(FILL_SEEDS, 0)
        (made,) = make(generation, prepared, [draw])
        return made.look, prepared.guard.look(draw.pixels[None])[0]

    look, of_view = looks(to_image(hung), 1.0)
    assert look.allowed == pytest.approx(of_view.guard_distance)
    assert look.allowed > 1.0
    assert look.guard_distance != of_view.guard_distance
    assert not looks(to_image(hung), 0.0)[0].is_anomalous
    for share in (0.0, 1.0):
        assert looks(picture(33), share)[0].is_anomalous


def test_more_are_made_than_wanted_and_the_set_is_chosen_of_them(pipeline, prepared):
    generation = generation_of(pipeline.models, effort="high", num_images=2)
    accepted = fill(generation, prepared)
    chosen = choose(generation, accepted)
    assert (len(accepted.images), len(accepted.patches), len(chosen)) == (6, 6, 2)
    assert {image.seed for image in chosen} < {image.seed for image in accepted.images}
    # A choice of what is seen, and not of how many are moved.
    poses = dict(zip(map(id, accepted.images), accepted.poses, strict=True))
    assert Counter(poses[id(image)] for image in chosen) == Counter(accepted.poses[:2])
    pixels = np.stack([image.pixels for image in chosen])
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    cosines = pipeline.models.encoder.embed_image(images) @ prepared.prompt.embedding
    told = [image.scores["prompt_cosine"] for image in chosen]
    assert cosines.tolist() == pytest.approx(told, abs=1e-5)


@pytest.mark.parametrize(
    ("options", "num_images"), [(PipelineOptions(varied_share=0.7), 5), (BLIND, 1)]
)
def test_several_at_once_are_those_of_one_at_a_time(
    pipeline, prepared, options, num_images, monkeypatch
):
    def made(at_once):
        monkeypatch.setattr("models.job.fill.images_at_once", lambda _: at_once)
        prepared.guard.forget_generated(1)
        generation = generation_of(pipeline.models, options, num_images=num_images)
        return fill(generation, prepared)

    alone, together = made(1), made(4)
    assert [i.transform for i in together.images] == [i.transform for i in alone.images]
    assert together.rejections == alone.rejections
    for one, other in zip(alone.images, together.images, strict=True):
        # Networks round otherwise in a batch: a grey level here and there, and where a latent lies
        # between two codes, another one.
        differences = np.abs(one.pixels.astype(int) - other.pixels.astype(int))
        assert (differences > 1).mean() < 0.02
