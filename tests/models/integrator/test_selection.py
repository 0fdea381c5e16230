import numpy as np
import pytest
import torch

from models.features.patches import nearest_distances
from models.integrator.selection import Candidate, looked_at, select
from models.job.options import EFFORTS, MAX_SPARE
from models.job.request import GeneratedImage
from tests.models.conftest import part_image

KNOWN = torch.zeros(1, 4)


def candidate(cosine: float, *patches: float) -> Candidate:
    image = GeneratedImage(
        pixels=np.zeros((1, 1, 3), np.uint8),
        seed=0,
        source=0,
        transform={},
        scores={"prompt_cosine": cosine},
    )
    return Candidate(image, torch.tensor(patches)[:, None].expand(-1, 4))


def has(chosen: list[Candidate], wanted: Candidate) -> bool:
    return any(c is wanted for c in chosen)


def test_too_few_candidates_are_all_taken():
    candidates = [candidate(0.1, 0.0), candidate(0.2, 1.0)]
    assert select(candidates, 5, KNOWN) is candidates


def test_of_images_that_add_the_same_the_best_cosine_is_taken():
    candidates = [candidate(c, 1.0) for c in (0.1, 0.9, 0.2, 0.3)]
    (chosen,) = select(candidates, 1, KNOWN)
    assert chosen is candidates[1]


def test_of_equal_scores_the_one_that_adds_is_taken():
    same = [candidate(0.5, 0.5), candidate(0.5, 0.5), candidate(0.5, 0.51), candidate(0.5, 2.0)]
    assert has(select(same, 2, KNOWN), same[3])


def test_what_the_real_images_show_already_adds_nothing():
    candidates = [candidate(0.5, 3.0), candidate(0.5, 3.0), candidate(0.5, 1.0)]
    assert has(select(candidates, 1, torch.full((1, 4), 3.0)), candidates[2])


def test_few_images_come_near_to_what_all_show():
    three_kinds = [candidate(0.5, value) for value in (1.0, 1.1, 0.9, 4.0, 4.1, 3.9, 8.0, 8.1, 7.9)]
    chosen = select(three_kinds, 3, KNOWN)
    shown = sorted(round(float(c.patches[0, 0])) for c in chosen)
    assert shown == [1, 4, 8]


def test_without_weight_the_cosine_does_not_matter():
    candidates = [candidate(0.9, 0.1), candidate(0.1, 2.0)]
    assert select(candidates, 1, KNOWN, score_weight=0.0) == [candidates[1]]
    assert select(candidates, 1, KNOWN, score_weight=1.0) == [candidates[0]]


def test_selection_has_no_doubles():
    candidates = [candidate(i / 10, i / 10) for i in range(10)]
    chosen = select(candidates, 7, KNOWN)
    assert len({id(c) for c in chosen}) == 7


def test_each_step_is_told_and_choosing_stops_where_the_caller_does():
    candidates = [candidate(i / 10, i / 10) for i in range(10)]
    told = []
    select(candidates, 7, KNOWN, on_step=lambda: told.append(1))
    assert len(told) == 10 + 7

    def stop():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        select(candidates, 7, KNOWN, on_step=stop)


def test_equal_images_are_still_chosen_up_to_the_number_wanted():
    assert len(select([candidate(0.5, 0.0)] * 5, 3, KNOWN)) == 3


@pytest.mark.parametrize("side", [64, 224, 448])
def test_an_image_is_looked_at_as_a_detector_sees_it(features, side):
    patches = looked_at(part_image(angle_deg=25, size=side), features)
    assert patches.shape == (28 * 28, features.num_features)


def test_candidates_are_a_multiple_of_the_images_but_never_too_many_more():
    assert EFFORTS["draft"].num_candidates(16) == 16
    assert EFFORTS["standard"].num_candidates(16) == 32
    assert EFFORTS["high"].num_candidates(1000) == 1000 + MAX_SPARE


def test_nearest_patches_are_the_same_in_small_pieces(monkeypatch):
    patches, bank = torch.randn(50, 8), torch.randn(30, 8)
    whole = torch.cdist(patches, bank).amin(dim=1)
    monkeypatch.setattr("models.features.patches.MAX_PAIRS", 100)
    torch.testing.assert_close(nearest_distances(patches, bank), whole)
