import pytest
import torch
from torch import Tensor

from models.views.showing.disc import whole_disc

SIDE = 128
YS, XS = torch.meshgrid(*2 * [torch.arange(SIDE, dtype=torch.float32)], indexing="ij")


def disc(x: float = 64, y: float = 60, radius: float = 45) -> Tensor:
    return torch.hypot(XS - x, YS - y) <= radius


def overlap(first: Tensor, second: Tensor) -> float:
    return float((first & second).sum() / (first | second).sum())


def test_a_bite_in_the_rim_is_of_the_disc():
    bitten = disc() & ~disc(100, 30, 16)
    assert overlap(bitten, disc()) < 0.96
    assert overlap(whole_disc(bitten), disc()) > 0.97


def test_what_stands_out_of_it_is_none_of_its_business():
    shadow = disc(x=70, y=64) & (XS + YS > 150)
    assert overlap(whole_disc(disc() | shadow), disc()) > 0.97


@pytest.mark.parametrize(
    "mask",
    [
        torch.zeros(SIDE, SIDE, dtype=torch.bool),
        (XS - 64).abs().maximum((YS - 60).abs()) <= 40,
        ((XS - 64) / 50) ** 2 + ((YS - 60) / 40) ** 2 <= 1,
        disc() & (YS > 40),
        disc() & ~disc(100, 30, 30),
        (YS == 60) & (XS > 20),
    ],
    ids=["nothing", "a square", "an ellipse", "a disc cut straight", "a large bite", "a line"],
)
def test_another_shape_is_left_as_it_is(mask: Tensor):
    assert not whole_disc(mask).any()
