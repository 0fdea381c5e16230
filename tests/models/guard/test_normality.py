from dataclasses import replace

import numpy as np
import pytest
import torch

from models.guard.normality import LEAST_SIDE_PX, Look, NormalityGuard, RealImage
from models.views.showing.warp import apply_view
from models.views.view import draw_view
from tests.models.conftest import part_image


def real_views(count: int, seed: int) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    image = part_image(angle_deg=25, size=128)
    return torch.stack(
        [apply_view(image, draw_view(frozenset({"rotate"}), rng), (128, 128)) for _ in range(count)]
    )


@pytest.fixture(scope="module")
def guard(features) -> NormalityGuard:
    return fitted(features, real_views(24, seed=0), real_views(16, seed=1))


def fitted(features, bank: torch.Tensor, unseen: torch.Tensor, num_sources: int = 1):
    """A guard whose images show `num_sources` real ones by turns."""
    shown = [
        [RealImage(x, source=n % num_sources) for n, x in enumerate(i)] for i in (bank, unseen)
    ]
    return NormalityGuard.fit(features, *shown)


def scratched(image: torch.Tensor) -> torch.Tensor:
    painted = image.clone()
    for step in range(40):
        painted[:, 48 + step // 2 : 50 + step // 2, 44 + step] = 0.95
    return painted


def test_augmented_real_images_pass(guard):
    fresh = real_views(20, seed=2)
    rejected = sum(guard.judge(image).reason == "anomalous" for image in fresh)
    assert rejected <= 4


def test_a_painted_scratch_is_rejected(guard):
    for image in real_views(5, seed=3):
        assert guard.judge(scratched(image)).reason == "anomalous"


def test_what_lies_beyond_an_images_edge_is_not_remembered_nor_judged(features):
    bank, unseen = real_views(24, seed=0), real_views(16, seed=1)
    is_seen = torch.ones(128, 128, dtype=torch.bool)
    is_seen[40:80, 36:92] = False  # the scratch and what is around it

    def spoiled(images: torch.Tensor, mask: torch.Tensor | None) -> list[RealImage]:
        return [RealImage(scratched(image), mask) for image in images]

    known = NormalityGuard.fit(features, spoiled(bank, None), spoiled(unseen, None))
    hidden = NormalityGuard.fit(features, spoiled(bank, is_seen), spoiled(unseen, is_seen))
    for image in real_views(5, seed=3):
        assert known.judge(scratched(image)).look.guard_distance < 1.1
        assert hidden.judge(scratched(image)).look.guard_distance > 1.3


def test_an_image_of_which_hardly_anything_is_seen_is_taken_whole(features):
    narrow = torch.rand(3, 32, 512, generator=torch.Generator().manual_seed(0))
    is_seen = torch.ones(32, 512, dtype=torch.bool)
    is_seen[[0, -1]] = False  # four rows of patches: none has only seen ones around it
    images = [RealImage(narrow, is_seen)]
    guard = NormalityGuard.fit(features, images, images)
    assert len(guard.bank) == 4 * 64
    assert guard.threshold == pytest.approx(0.0, abs=1e-4)


def test_a_scratch_raises_the_distance_where_it_is(guard):
    image = real_views(1, seed=4)[0]
    difference = guard.distance_map(scratched(image)[None])[0] - guard.distance_map(image[None])[0]
    row, column = np.unravel_index(int(difference.argmax()), difference.shape)
    # Painted at rows 48 to 70 and columns 44 to 84 of 128.
    scale = LEAST_SIDE_PX / 128 / 8
    assert 40 * scale <= row <= 78 * scale
    assert 36 * scale <= column <= 92 * scale


def test_the_verdict_tells_where_the_worst_patch_lies(guard):
    image = scratched(real_views(1, seed=4)[0])
    distances = guard.distance_map(image[None])[0]
    left, top, width, height = guard.judge(image).look.place
    rows, columns = distances.shape
    assert (width, height) == (1 / columns, 1 / rows)
    assert distances[round(top * rows), round(left * columns)] == distances.max()


def test_a_small_image_is_looked_at_enlarged_and_a_large_one_as_it_is(guard):
    small, large = torch.rand(1, 3, 128, 96), torch.rand(1, 3, 512, 480)
    assert guard.distance_map(small).shape == (1, LEAST_SIDE_PX // 8, LEAST_SIDE_PX // 8 * 3 // 4)
    assert guard.distance_map(large).shape == (1, 64, 60)


def test_a_copy_is_rejected_and_another_image_is_not(guard):
    first, second = real_views(2, seed=5)
    guard.remember(first)
    barely_lighter = (first + 1 / 255).clamp(0, 1)
    assert guard.judge(barely_lighter).reason == "near_copy"
    assert guard.judge(first).nearest_distance == 0.0
    assert guard.judge(second).reason != "near_copy"
    guard.forget_generated(0)
    assert guard.judge(first).reason != "near_copy"


def test_what_may_be_as_strange_as_it_is_is_no_anomaly_but_may_be_a_copy(guard):
    (view,) = real_views(1, seed=6)
    strange = Look(guard_distance=2.0, place=(0.0, 0.0, 0.1, 0.1))
    assert guard.judge_look(view, strange).reason == "anomalous"
    assert guard.judge_look(view, replace(strange, allowed=1.9)).reason == "anomalous"
    assert guard.judge_look(view, replace(strange, allowed=2.0)).reason is None
    guard.remember(view)
    assert guard.judge_look(view, replace(strange, allowed=2.0)).reason == "near_copy"
    guard.forget_generated(0)


def test_threshold_lets_the_stated_share_of_unseen_views_pass(guard):
    passed = float((guard.distance(real_views(16, seed=1)) <= guard.threshold).float().mean())
    assert passed == pytest.approx(0.95, abs=0.051)  # one of 16 is beyond it, or none


def test_with_several_real_images_the_threshold_lets_another_good_part_pass(features):
    """Each is measured against the others, and not against further views of itself."""
    parts = torch.stack([part_image(angle_deg=25, seed=s) for s in range(6)])
    views = torch.cat([parts[:4], parts[:4]])
    by_given = fitted(features, views, parts[:4], num_sources=1)
    by_others = fitted(features, views, parts[:4], num_sources=4)
    assert by_given.threshold < by_others.threshold
    assert all(by_given.judge(other).reason == "anomalous" for other in parts[4:])
    assert all(by_others.distance(parts[4:]) <= 1.2 * by_others.threshold)
    assert by_others.judge(scratched(parts[4])).reason == "anomalous"
