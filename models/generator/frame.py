"""The frame of a latent grid: the cells along its edge that the encoder's zero padding reaches.

They look like nothing that the encoder knows, and so tell nothing of the image. How many they are
is the encoder's own matter (`VarianceAwareVQModel.padding_reach_cells`), but never so many that
less than half of a short side would be left.

Axes: B batch, C channels, h x w latent cells.
"""

from torch import Tensor
from torch.nn import functional as F


def without_frame(grid: Tensor, reach: int) -> Tensor:
    """The grid (B, C, h, w) without its frame, for an encoder whose padding reaches so far."""
    rows, columns = _widths(grid, reach)
    height, width = grid.shape[-2:]
    return grid[..., rows : height - rows, columns : width - columns]


def with_frame_from_inside(grid: Tensor, reach: int) -> Tensor:
    """The grid (B, C, h, w) with each cell of its frame taken from the nearest one within."""
    rows, columns = _widths(grid, reach)
    return F.pad(without_frame(grid, reach), (columns, columns, rows, rows), mode="replicate")


def _widths(grid: Tensor, reach: int) -> tuple[int, int]:
    """Cells of the frame above and below, and at the left and the right."""
    height, width = grid.shape[-2:]
    return min(reach, height // 4), min(reach, width // 4)
