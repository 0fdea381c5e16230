"""Shapes of masks: grown, joined, filled, cut into pieces.

Masks are (H, W) bool.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def majority(mask: Tensor) -> Tensor:
    """The mask without single pixels."""
    return F.avg_pool2d(mask[None].float(), 5, 1, 2)[0] > 0.5


def dilated(mask: Tensor, radius: int) -> Tensor:
    """The mask grown by a square of this radius in px."""
    width = 2 * radius + 1
    # A square's maximum is that of its rows' maxima, for a fraction of the work.
    rows = F.max_pool2d(mask[None].float(), (1, width), 1, (0, radius))
    return F.max_pool2d(rows, (width, 1), 1, (radius, 0))[0] > 0.5


def grown_within(seed: Tensor, allowed: Tensor) -> Tensor:
    """What of `allowed` is connected with the seed, the seed's own pixels in it included."""
    grown = seed & allowed
    while True:
        along = _filled_runs(grown, allowed)
        more = _filled_runs(along.T, allowed.T).T
        if torch.equal(more, grown):
            return grown
        grown = more


def _filled_runs(seed: Tensor, allowed: Tensor) -> Tensor:
    """Every unbroken run of `allowed` along a row that holds a pixel of the seed."""
    runs = (~allowed).long().cumsum(dim=1)  # one number a run and row
    held = torch.zeros(len(runs), runs.shape[1] + 1, dtype=torch.long, device=runs.device)
    held.scatter_reduce_(1, runs, (seed & allowed).long(), "amax")
    return (held.gather(1, runs) > 0) & allowed


def largest_piece(mask: Tensor) -> Tensor:
    """The connected piece with most pixels; an empty mask stays empty."""
    rest, largest = mask.clone(), torch.zeros_like(mask)
    while int(rest.sum()) > int(largest.sum()):
        first = torch.zeros_like(mask).flatten()
        first[int(rest.flatten().float().argmax())] = True
        piece = grown_within(first.view_as(mask), rest)
        rest &= ~piece
        if int(piece.sum()) > int(largest.sum()):
            largest = piece
    return largest


def filled(mask: Tensor) -> Tensor:
    """The mask without holes: what cannot be reached from the frame belongs to it."""
    border = torch.ones_like(mask)
    border[1:-1, 1:-1] = False
    return ~grown_within(border & ~mask, ~mask)


def closed(mask: Tensor, radius: int) -> Tensor:
    """The mask with what is narrow between its pixels filled, in squares of this radius in px."""
    return ~dilated(~dilated(mask, radius), radius)


def without_notches(mask: Tensor, radius: int) -> Tensor:
    """The mask with what a disc of this radius in px does not reach from outside."""
    reach = torch.arange(-radius, radius + 1, device=mask.device)
    disc = (reach[:, None] ** 2 + reach**2 <= radius**2).float()[None, None]
    # Nothing is seen beyond the frame.
    padded = F.pad(mask[None, None].float(), (2 * radius,) * 4)
    outside = (F.conv2d(padded, disc) < 0.5).float()  # where the disc's middle may lie
    return F.conv2d(outside, disc)[0, 0] < 0.5
