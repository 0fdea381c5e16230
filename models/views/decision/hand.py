"""Whether a surface has a hand, as a print has: its letters come again, mirrored ones do not.

Networks that learned from mirrored photographs see no difference, so pixels are compared: a small
piece is sought, as it is and mirrored, in the other pictures, or elsewhere in a single one. On a
texture without a hand both are found equally well.

Axes: h x w pixels, Q pieces of N, C components; pictures (h, w), grey, in [0, 1].
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from models.features.nearest import nearest_distances

# Side of a piece, about a letter's; so many are sought, of the half with more contrast.
PIECE_PX, NUM_SOUGHT = 12, 400
# On less, not every piece has others on both sides of its own line.
LEAST_SIDE_PX = 40
# Pieces are found at every second pixel, of a few pictures.
STEP_PX, MOST_PICTURES = 2, 5
# Only so far away is elsewhere, as a share of the longer side: a piece's neighbours overlap it.
APART = 1 / 8
# Of a piece's pixels, what tells pieces apart.
NUM_COMPONENTS = 24
# Beside a contrast, or all distances together: nothing.
LEAST = 1e-3
# From this ratio on, see `mirrored_elsewhere`, a surface has a hand.
HAS_HAND = 1.04
# Each mirror image exchanges places along one axis of (h, w). Where a line goes on across that
# axis, a piece is found again as it is, mirrored it is not, and that is no hand.
MIRRORED = {"flip_horizontal": 1, "flip_vertical": 0}


class _Pieces(NamedTuple):
    """Pieces of one picture less their mean, (N, PIECE_PX, PIECE_PX), in (rows, columns)."""

    pixels: Tensor
    grid: tuple[int, int]


def mirrored_elsewhere(pictures: Sequence[Tensor]) -> dict[str, float]:
    """How much farther a mirrored piece is from what is found elsewhere than the piece as it is.

    1 on a surface without a hand. Measured with one picture: rows of letters 1.5 to 3.7, crops of a
    small page 1.03 to 1.24, teeth of zippers top to bottom 1.32 to 1.46, slanting fibres 1.03 to
    1.27; grass, gravel, coins and magnetic tiles .93 to 1.04, but for one at 1.07. A print that
    covers little of a texture is hardly found (1.00 to 1.05).

    Args:
        pictures: k of one surface, (h, w) each; too small ones tell nothing.

    Returns:
        Name of each mirror image -> ratio of mean distances.
    """
    large = [picture for picture in pictures if min(picture.shape) >= LEAST_SIDE_PX]
    found = [_cut(picture) for picture in large[:MOST_PICTURES]]
    if not found:
        return {}
    generator = torch.Generator().manual_seed(0)
    components = _components(torch.cat([pieces.pixels for pieces in found]))
    banks = [pieces.pixels.flatten(1) @ components for pieces in found]  # (N, C) each
    totals = {name: torch.zeros(2) for name in MIRRORED}  # as it is, mirrored
    for number, pieces in enumerate(found):
        sought = _sought(pieces, NUM_SOUGHT // len(found), generator)
        pixels, others = pieces.pixels[sought], banks[:number] + banks[number + 1 :]
        contrast = pixels.flatten(1).norm(dim=1).clamp_min(LEAST)
        for name, axis in MIRRORED.items():
            both = torch.cat([pixels, pixels.flip(axis + 1)]).flatten(1) @ components
            if others:
                distances, _ = nearest_distances(both, torch.cat(others))
            else:
                near = _near(sought, pieces.grid, axis).repeat(2, 1)
                distances = torch.cdist(both, banks[0]).masked_fill_(near, torch.inf).amin(dim=1)
            totals[name] += (distances.reshape(2, -1) / contrast).sum(dim=1)
    return {
        name: float((mirrored + LEAST) / (as_it_is + LEAST))
        for name, (as_it_is, mirrored) in totals.items()
    }


def _cut(picture: Tensor) -> _Pieces:
    """All pieces of a picture (h, w)."""
    cut = picture.unfold(0, PIECE_PX, STEP_PX).unfold(1, PIECE_PX, STEP_PX)  # (rows, columns, ., .)
    pixels = cut.reshape(-1, PIECE_PX, PIECE_PX)
    return _Pieces(pixels - pixels.mean(dim=(1, 2), keepdim=True), (cut.shape[0], cut.shape[1]))


def _components(pixels: Tensor) -> Tensor:
    """What pieces and their mirror images differ by most, as columns (PIECE_PX^2, C)."""
    rows = pixels.flatten(1)
    products = (rows.T @ rows).reshape((PIECE_PX,) * 4)
    mirrored = (products.flip(dims) for dims in ((0, 2), (1, 3), (0, 1, 2, 3)))
    both = sum(mirrored, products).reshape(PIECE_PX**2, -1)
    return torch.linalg.eigh(both)[1][:, -NUM_COMPONENTS:]


def _near(sought: Tensor, grid: tuple[int, int], axis: int) -> Tensor:
    """Which of all N pieces are not elsewhere, seen from some (Q,), (Q, N) of bool."""
    apart = max(PIECE_PX, APART * STEP_PX * (max(grid) - 1))
    places = (sought // grid[1], sought % grid[1])
    steps = [
        STEP_PX * (place[:, None] - torch.arange(count)).abs()
        for place, count in zip(places, grid, strict=True)
    ]  # (Q, rows) and (Q, columns) px
    down, across = (step < apart for step in steps)
    in_line = steps[axis] < PIECE_PX
    beside = in_line[:, :, None] if axis == 0 else in_line[:, None, :]
    return (beside | (down[:, :, None] & across[:, None, :])).flatten(1)


def _sought(pieces: _Pieces, count: int, generator: torch.Generator) -> Tensor:
    """Which pieces are sought: some with much contrast, at random, (count,) at most."""
    contrast = pieces.pixels.std(dim=(1, 2))
    strong = (contrast >= contrast.median()).nonzero()[:, 0]
    return strong[torch.randperm(len(strong), generator=generator)[:count]]
