import pytest
import torch
from torch import Tensor

from models.features.patches import PatchFeatures
from models.views.decision.hand import HAS_HAND, LEAST_SIDE_PX, mirrored_elsewhere
from models.views.decision.invariances import all_analysed, all_detailed, decide_invariances
from models.views.view import to_image
from tests.models.conftest import texture_image

FLIPS = {"flip_horizontal", "flip_vertical"}
GLYPH_PX = 12


def printed(*, seed: int = 0, side: int = 256, upright: bool = False) -> Tensor:
    """A few glyphs again and again, not quite in rows, under a camera's noise, (side, side).

    Upright ones are their own mirror images, left to right.
    """
    rng = torch.Generator().manual_seed(0)
    glyphs = (torch.rand((5, 6, 6), generator=rng) > 0.5).float().repeat_interleave(2, -1)
    glyphs = glyphs.repeat_interleave(2, -2)
    if upright:
        glyphs = torch.maximum(glyphs, glyphs.flip(-1))
    rng.manual_seed(seed)
    page = torch.full((side, side), 0.9)
    for top in range(4, side - 24, 22):
        for left in range(4, side - 24, 20):
            down, right, which = (int(n) for n in torch.randint(5, (3,), generator=rng))
            y, x = top + down, left + right
            page[y : y + GLYPH_PX, x : x + GLYPH_PX] -= 0.7 * glyphs[which]
    return (page + 0.02 * torch.randn((side, side), generator=rng)).clamp(0.0, 1.0)


def test_mirrored_letters_are_not_found_again():
    found = mirrored_elsewhere([printed()])
    assert set(found) == FLIPS
    assert all(ratio > 1.5 for ratio in found.values())


def test_letters_that_are_their_own_mirror_image_are_found_that_way_alone():
    found = mirrored_elsewhere([printed(upright=True)])
    assert found["flip_horizontal"] < HAS_HAND
    assert found["flip_vertical"] > 1.5


@pytest.mark.parametrize("count", [1, 3])
def test_a_texture_has_no_hand(count: int):
    noise = torch.rand((count, 128, 128), generator=torch.Generator().manual_seed(0))
    found = mirrored_elsewhere(list(noise))
    assert all(ratio == pytest.approx(1.0, abs=0.03) for ratio in found.values())


def test_what_the_others_show_mirrored_may_be_mirrored():
    page = printed()
    alone = mirrored_elsewhere([page, printed(seed=1)])
    shown = mirrored_elsewhere([page, page.flip(-1)])
    assert alone["flip_horizontal"] > 1.5
    assert shown["flip_horizontal"] < HAS_HAND


def test_a_picture_too_small_for_pieces_tells_nothing():
    assert mirrored_elsewhere([torch.rand(LEAST_SIDE_PX - 1, 400)]) == {}
    assert mirrored_elsewhere([]) == {}


@pytest.mark.parametrize("shape", [(LEAST_SIDE_PX, LEAST_SIDE_PX), (LEAST_SIDE_PX, 384)])
def test_a_picture_just_large_enough_tells_something(shape: tuple[int, int]):
    found = mirrored_elsewhere([torch.rand(shape, generator=torch.Generator().manual_seed(0))])
    assert all(0.7 < ratio < 1.3 for ratio in found.values())


def test_a_flat_picture_has_no_hand():
    found = mirrored_elsewhere([torch.full((64, 64), 0.5)])
    assert all(ratio < HAS_HAND for ratio in found.values())


@pytest.mark.parametrize("count", [1, 5])
def test_a_print_is_never_mirrored(features: PatchFeatures, count: int):
    """Letters too fine for what else is looked at."""
    pages = [to_image(printed(seed=seed, side=384).expand(3, -1, -1)) for seed in range(count)]
    decision = decide_invariances(all_analysed(pages), features, all_detailed(pages))
    assert not FLIPS & decision.invariances
    assert "print" in decision.beliefs["flip_horizontal"].reason


@pytest.mark.parametrize("count", [1, 2])
def test_a_brushed_surface_may_be_mirrored(features: PatchFeatures, count: int):
    """Also across its grain, though each scratch is found again where it goes on."""
    images = [to_image(texture_image(size=384, seed=seed)) for seed in range(count)]
    decision = decide_invariances(all_analysed(images), features, all_detailed(images))
    assert decision.invariances >= FLIPS
