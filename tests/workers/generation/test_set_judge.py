"""A set is judged by real images that nothing was made from."""

import numpy as np
import pytest
from PIL import Image

from app.jobs.inputs import MIN_HELD_OUT, InputImage, InputWarning
from models.evaluation.fidelity.precision_coverage import NEIGHBOUR
from models.features.patches import PatchFeatures, load_patch_features
from workers.cli.samples import load_apart, load_sample
from workers.generation.held_out import HeldOut
from workers.generation.set_judge import SetJudge


@pytest.fixture(scope="module")
def network() -> PatchFeatures:
    return load_patch_features()


@pytest.fixture(scope="module")
def coins() -> list[Image.Image]:
    return [coin.convert("RGB") for coin in load_apart("coin")]


def held_out(images: list[Image.Image], duplicates: tuple[int, ...] = ()) -> HeldOut:
    same = InputWarning(code="duplicate", detail="", same_as=0)
    understood = [
        InputImage(
            field=f"held_out_images[{number}]",
            width=image.width,
            height=image.height,
            bit_depth=8,
            channels=3,
            orientation=1,
            white=255,
            warnings=[same] if number in duplicates else [],
        )
        for number, image in enumerate(images)
    ]
    return HeldOut(images, understood)


def figures(judge: SetJudge, images: list[Image.Image]) -> dict:
    for image in images:
        judge.see(np.asarray(image))
    return judge.figures()


def test_as_many_are_asked_for_as_are_needed(network: PatchFeatures, coins: list[Image.Image]):
    assert MIN_HELD_OUT == NEIGHBOUR + 1
    SetJudge(coins[:1], held_out(coins[:MIN_HELD_OUT]), network)
    with pytest.raises(ValueError, match="neighbours"):
        SetJudge(coins[:1], held_out(coins[: MIN_HELD_OUT - 1]), network)


def test_images_lie_among_themselves_and_nothing_else_does(
    network: PatchFeatures, coins: list[Image.Image]
):
    bricks = [brick.convert("RGB").resize(coins[0].size) for brick in load_sample("brick")[1]]
    told = figures(SetJudge(bricks, held_out(coins), network), coins)
    assert told["num_images"] == len(coins)
    assert told["new"] == {"precision": 1.0, "coverage": 1.0}
    assert told["given"] == {"precision": 0.0, "coverage": 0.0}
    assert [one["file"]["field"] for one in told["images"]][1] == "held_out_images[1]"
    assert {(one["near_given"], one["near_new"]) for one in told["images"]} == {(False, True)}


def test_the_share_of_what_is_covered_is_that_of_the_images_told(
    network: PatchFeatures, coins: list[Image.Image]
):
    told = figures(SetJudge(coins[:1], held_out(coins), network), coins[:3])
    for name, near in (("given", "near_given"), ("new", "near_new")):
        share = sum(one[near] for one in told["images"]) / len(coins)
        assert told[name]["coverage"] == pytest.approx(share, abs=1e-4)
    assert 0 < told["given"]["coverage"] <= told["new"]["coverage"] < 1


def test_a_picture_counts_once(network: PatchFeatures, coins: list[Image.Image]):
    once = figures(SetJudge(coins[:1], held_out(coins), network), coins[:2])
    doubled = held_out([*coins, coins[0]], duplicates=(len(coins),))
    assert figures(SetJudge(coins[:1], doubled, network), coins[:2]) == once


def test_a_set_of_nothing_covers_nothing(network: PatchFeatures, coins: list[Image.Image]):
    told = SetJudge(coins[:1], held_out(coins), network).figures()
    assert told["new"] == {"precision": 0.0, "coverage": 0.0}
