from dataclasses import replace

import pytest
import torch

from models.views.showing.mask_shapes import dilated
from models.views.source import Source
from models.views.view import View, to_image
from tests.models.conftest import part_image


def test_moved_as_a_whole_the_ground_goes_along_and_as_a_view_it_stays():
    image = part_image(angle_deg=20, size=128)
    image[:, 4:10, 60:66] = 1.0 - image[:, :1, :1]  # a speck on the ground, at the frame
    source = Source(to_image(image), (128, 128), torch.device("cpu"))
    assert source.part is not None
    turned = View(angle_deg=90.0, fill="ground")
    whole, is_seen = source.moved_whole(turned)
    speck = (image - image[:, :1, :1]).abs()[:, 4:10, 60:66].mean()
    stays, goes = ((shown - shown[:, :1, :1]).abs() for shown in (source.shown(turned), whole))
    assert stays[:, 4:10, 60:66].mean() > 0.8 * speck
    assert goes[:, 4:10, 60:66].mean() < 0.2 * speck
    assert bool(is_seen.all())


@pytest.mark.parametrize("fill", ["ground", "edge", "mirror"])
def test_a_half_turn_turns_the_finished_picture(fill: str):
    source = Source(to_image(part_image(angle_deg=20, size=128)), (64, 64), torch.device("cpu"))
    view = View(angle_deg=30.0, shift_x=0.02, light_x=0.1, fill=fill)
    turned = replace(view, half_turn=True)
    assert torch.equal(source.shown(turned), source.shown(view).flip((1, 2)))
    for one, other in zip(source.moved_whole(turned), source.moved_whole(view), strict=True):
        assert torch.equal(one, other.flip((-2, -1)))


def test_beyond_the_images_edge_nothing_is_seen():
    source = Source(to_image(part_image(angle_deg=20, size=128)), (64, 64), torch.device("cpu"))
    shown, is_seen = source.moved_whole(View(angle_deg=45.0))
    assert shown.shape == (3, 64, 64)
    assert is_seen.shape == (64, 64)
    corners = is_seen[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert not corners.any()
    # A square turned by 45 degrees covers 2 sqrt(2) - 2 of itself.
    assert abs(float(is_seen.float().mean()) - 0.828) < 0.02


def test_an_edge_that_the_view_draws_out_counts_as_seen():
    source = Source(to_image(part_image(angle_deg=20, size=128)), (64, 64), torch.device("cpu"))
    view = View(angle_deg=45.0, fill="edge")
    shown, is_seen = source.moved_whole(view)
    assert is_seen.all()
    source.part = None  # held: it is turned with all that is seen
    assert torch.equal(shown, source.shown(view))


def held_on_rough_ground(size: int = 128) -> torch.Tensor:
    """A bar that runs in from the left, on grain, (3, size, size)."""
    noise = 0.05 * torch.randn(1, size, size, generator=torch.Generator().manual_seed(0))
    bar = torch.zeros(size, size, dtype=torch.bool)
    bar[size // 3 : 2 * size // 3, : 2 * size // 3] = True
    return (torch.where(bar, 0.8, 0.25) + noise).expand(3, -1, -1)


def test_a_rough_edge_is_continued_by_bare_ground_and_not_drawn_out():
    image = held_on_rough_ground()
    source = Source(to_image(image), (128, 128), torch.device("cpu"))
    assert source.part is None
    assert not source.has_plain_frame
    view = View(angle_deg=180.0 - 45.0, fill="edge")
    shown = source.shown(view)
    whole, is_seen = source.moved_whole(view)
    assert torch.equal(whole, shown)
    beyond = ~dilated(is_seen, 2)
    assert float(beyond.float().mean()) > 0.1
    # The bar ends where the image does, and no second one shows beyond.
    assert float(shown[0][beyond].max()) < 0.55
    # Grain changes as much along any line as the ground's own does; a streak changes across alone.
    ground = image[0, :20].diff().abs().mean()
    for one, where in ((shown[0], beyond), (shown[0].T, beyond.T)):
        step = one.diff().abs()[where[:, 1:] & where[:, :-1]].mean()
        assert 0.4 < float(step / ground) < 1.5
