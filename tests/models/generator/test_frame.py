"""What the encoder's padding reaches is left out, and something is always left."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from models.generator.frame import with_frame_from_inside, without_frame
from models.generator.vqgan import EMBEDDED_VQGAN, load_vqgan

sides, reaches = st.integers(1, 70), st.integers(0, 12)


def numbered(height: int, width: int) -> torch.Tensor:
    return torch.arange(height * width).reshape(1, 1, height, width).float()


@given(sides, sides, reaches)
def test_a_wide_grid_loses_the_reach_and_a_narrow_one_at_most_half(
    height: int, width: int, reach: int
):
    inner = without_frame(numbered(height, width), reach)
    for left, side in zip(inner.shape[-2:], (height, width), strict=True):
        assert left == max(side - 2 * reach, side - 2 * (side // 4))
        assert 2 * left >= side


@given(sides, sides, reaches)
def test_the_frame_is_the_nearest_cell_within_and_the_rest_is_left(
    height: int, width: int, reach: int
):
    grid = numbered(height, width)
    framed, inner = with_frame_from_inside(grid, reach), without_frame(grid, reach)
    assert framed.shape == grid.shape
    assert torch.equal(without_frame(framed, reach), inner)
    corners = [framed[0, 0, row, column] for row in (0, -1) for column in (0, -1)]
    assert corners == [inner[0, 0, row, column] for row in (0, -1) for column in (0, -1)]


@torch.no_grad()
def test_within_the_frame_an_image_looks_as_it_does_within_a_larger_one():
    model = load_vqgan(EMBEDDED_VQGAN)
    noise = torch.randn(1, 3, 512, 512, generator=torch.Generator().manual_seed(0))
    larger = torch.nn.functional.avg_pool2d(noise, 7, 1, 3) * 2
    cut = slice(128, 384)  # px
    alone = model.features(larger[..., cut, cut])
    cells = slice(128 // model.downsampling_factor, 384 // model.downsampling_factor)
    change = (alone - model.features(larger)[..., cells, cells]).abs()
    size = float(alone.abs().mean())
    inner = without_frame(change, model.padding_reach_cells)
    assert float(inner.mean()) < 0.1 * size
    assert float(change[..., 0].mean()) > 0.4 * size


def test_the_padding_reaches_as_far_as_half_of_the_convolutions(folder_model):
    # Pixels: 1 at the entry, 4 in each level's block and 1 before the next level, 4 in the middle
    # and 1 at the end, each times its level's scale; diffusers' blocks have one layer here.
    num_levels = len(folder_model.config.block_out_channels)
    scales = [2**level for level in range(num_levels)]
    pixels = 1 + sum(2 * s for s in scales) + sum(scales[:-1]) + 4 * scales[-1] + scales[-1]
    assert folder_model.padding_reach_cells == -(-pixels // (2 * scales[-1]))
