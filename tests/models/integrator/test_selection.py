from collections.abc import Callable
from functools import partial

import pytest
import torch

from models.integrator.selection import _asked, looked_at, select
from tests.models.conftest import part_image

KNOWN = torch.zeros(1, 4)


def image(*values: float) -> Callable[[], torch.Tensor]:
    """Gives patches (P, 4), each of one value."""
    return lambda: torch.tensor(values)[:, None].expand(-1, 4)


def test_too_few_candidates_are_all_taken_as_they_come():
    assert select([image(0.0), image(1.0)], [0.1, 0.2], 5, KNOWN) == [0, 1]
    assert select([], [], 5, KNOWN) == []


def test_of_images_that_add_the_same_the_best_cosine_is_taken():
    assert select([image(1.0)] * 4, [0.1, 0.9, 0.2, 0.3], 1, KNOWN) == [1]


def test_of_equal_scores_the_one_that_adds_is_taken():
    images = [image(0.5), image(0.5), image(0.51), image(2.0)]
    assert 3 in select(images, [0.5] * 4, 2, KNOWN)


def test_what_the_real_images_show_already_adds_nothing():
    images = [image(3.0), image(3.0), image(1.0)]
    assert select(images, [0.5] * 3, 1, torch.full((1, 4), 3.0)) == [2]


def test_few_images_come_near_to_what_all_show():
    values = (1.0, 1.1, 0.9, 4.0, 4.1, 3.9, 8.0, 8.1, 7.9)
    chosen = select([image(value) for value in values], [0.5] * 9, 3, KNOWN)
    assert sorted(round(values[i]) for i in chosen) == [1, 4, 8]


def test_without_weight_the_cosine_does_not_matter():
    images, cosines = [image(0.1), image(2.0)], [0.9, 0.1]
    assert select(images, cosines, 1, KNOWN, score_weight=0.0) == [1]
    assert select(images, cosines, 1, KNOWN, score_weight=1.0) == [0]


def test_of_each_kind_there_are_as_many_as_come():
    values = (0.0, 5.0, 0.1, 5.1, 6.0, 7.0, 0.2, 8.0)
    kinds = ["moved" if value >= 5 else "still" for value in values]
    images = [image(value) for value in values]
    chosen = select(images, [0.5] * 8, 4, KNOWN, kinds=kinds)
    assert sorted(kinds[index] for index in chosen) == ["moved"] * 2 + ["still"] * 2
    assert len(set(chosen)) == 4
    # What only comes later is no choice.
    assert 7 not in select(images, [0.5] * 8, 4, KNOWN, kinds=[*kinds[:7], "mirrored"])
    assert 7 in select(images, [0.5] * 8, 4, KNOWN)


def ten() -> tuple[list[Callable[[], torch.Tensor]], list[float]]:
    return [image(i / 10) for i in range(10)], [i / 10 for i in range(10)]


def test_selection_has_no_doubles():
    assert len(set(select(*ten(), 7, KNOWN))) == 7


def test_each_step_is_told_and_choosing_stops_where_the_caller_does():
    told = []
    select(*ten(), 7, KNOWN, on_step=lambda: told.append(1))
    assert len(told) == 10 + 7

    def stop():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        select(*ten(), 7, KNOWN, on_step=stop)


def test_equal_images_are_still_chosen_up_to_the_number_wanted():
    assert len(select([image(0.0)] * 5, [0.5] * 5, 3, KNOWN)) == 3


@pytest.mark.parametrize("side", [64, 224, 448])
def test_an_image_is_looked_at_as_a_detector_sees_it(features, side):
    patches = looked_at(part_image(angle_deg=25, size=side)[None], features)
    assert patches.shape == (1, 28 * 28, features.num_features)


def choose_all(patches, cosines, number, known, weight):
    """The same choice with every image looked at in every step."""
    asked = _asked(patches)
    squares = torch.cdist(asked, known).amin(dim=1).square()
    to_each = torch.stack([torch.cdist(asked, own()).amin(dim=1).square() for own in patches])
    scores, chosen = unit(torch.tensor(cosines)), []
    while len(chosen) < number:
        added = (squares - to_each).clamp_min(0.0).sum(dim=1)
        value = weight * scores + (1 - weight) * unit(added)
        value[chosen] = -torch.inf
        chosen.append(int(value.argmax()))
        squares = torch.minimum(squares, to_each[chosen[-1]])
    return chosen


def unit(values):
    return (values - values.min()) / (values.max() - values.min())


@pytest.mark.parametrize("weight", [0.0, 0.25, 0.9])
@pytest.mark.parametrize("seed", range(3))
def test_looking_only_where_it_matters_changes_nothing(weight, seed):
    generator = torch.Generator().manual_seed(seed)
    centres = 3 * torch.randn(60, 1, 8, generator=generator)
    drawn = centres + torch.randn(60, 20, 8, generator=generator)
    patches = [partial(torch.Tensor.clone, own) for own in drawn]
    cosines = torch.rand(60, generator=generator).tolist()
    known = torch.randn(5, 8, generator=generator)
    expected = choose_all(patches, cosines, 25, known, weight)
    assert select(patches, cosines, 25, known, score_weight=weight) == expected
