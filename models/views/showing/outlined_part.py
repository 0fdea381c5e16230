"""A part that an outline encloses, whatever its own brightness is: all that the frame cannot reach.

Bright metal on grey differs from its ground at its rim alone. From the frame inwards all is ground
that is reached without crossing an edge. What is an edge, no figure says for every camera: a part
is what stays nearly the same while that figure grows.

Axes: H x W pixels; h x w those at `part_mask.MASK_PX`; images (3, H, W) in [0, 1]; masks bool.
"""

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

from models.views.showing.mask_shapes import (
    closed,
    dilated,
    filled,
    grown_within,
    largest_piece,
    majority,
)
from models.views.showing.part_mask import at_mask_size

# An edge changes within EDGE_PX by as much as one of these levels says, a factor of 1.25 apart.
EDGE_PX, LEVELS = 2, tuple(0.016 * 1.25**step for step in range(13))
# A part is enclosed by edges of so many levels in turn, and by the strongest of them keeps so much
# of what the weakest encloses.
LEAST_LEVELS, LEAST_KEPT = 3, 0.85
# Gaps in an outline are closed that are no wider than twice this.
GAP_PX = 1
# So far within the rim shadow may reach, less far on a part of which so much is thinner than that;
# steps in which floods rise.
SHADOW_PX, LEAST_THICK, FLOOD_STEPS = (12, 6, 3), 0.95, 33
# As of any lone part: shares of the picture.
LEAST_SHARE, MOST_SHARE = 0.05, 0.8
# What is left free at the frame.
FRAME_PX = 4
# Edges elsewhere that are still of the ground, as a share of the part: those of so much of the
# strongest level.
MOST_OF_OTHERS, OUTLINE_PX, NEAR_SHARE = 0.05, 6, 0.5


def outlined_part(image: Tensor) -> tuple[Tensor, Tensor] | None:
    """The part in an image (3, H, W) and the same with its shadow, (h, w); None where none is sure.

    It does not reach the frame, nor does anything hold it there, and nothing else is seen beside.
    """
    changes = changes_of(at_mask_size(image))
    part, strongest = _enclosed_by_most(changes)
    if part is None:
        return None
    beside = (changes > NEAR_SHARE * strongest) & ~dilated(part, OUTLINE_PX)
    if int(beside.sum()) > MOST_OF_OTHERS * int(part.sum()):
        return None
    return _within_ridge(changes, part), part


def changes_of(image: Tensor) -> Tensor:
    """The most that a channel of (3, h, w) changes around a pixel within EDGE_PX, less noise."""
    width = 2 * EDGE_PX + 1
    smooth = F.avg_pool2d(F.pad(image[None], (1,) * 4, mode="replicate"), 3, 1)
    most, least = (F.max_pool2d(x, width, 1, EDGE_PX) for x in (smooth, -smooth))
    return (most + least)[0].amax(dim=0)


def within_edges(edges: Tensor) -> Tensor:
    """What cannot be reached from the frame without crossing an edge, (h, w)."""
    border = torch.ones_like(edges)
    border[1:-1, 1:-1] = False
    return ~dilated(grown_within(border & ~edges, ~edges), EDGE_PX)


def _enclosed_by_most(changes: Tensor) -> tuple[Tensor | None, float]:
    """What edges of several levels in turn enclose, from the weakest, and the strongest of them."""
    enclosed = cache(lambda number: _enclosed(changes, LEVELS[number]))
    first = 0
    while first + LEAST_LEVELS <= len(LEVELS):
        if enclosed(first + LEAST_LEVELS - 1) is None:
            first += LEAST_LEVELS  # none of those before it is the first of so many
            continue
        part, last = enclosed(first), first
        while part is not None and last + 1 < len(LEVELS):
            smaller = enclosed(last + 1)
            if smaller is None or int(smaller.sum()) < LEAST_KEPT * int(part.sum()):
                break
            last += 1
        if last - first + 1 >= LEAST_LEVELS:
            return part, LEVELS[last]
        first = last + 1
    return None, 0.0


def _enclosed(changes: Tensor, level: float) -> Tensor | None:
    """What edges of this level enclose, where that may be a part."""
    edges = closed(changes > level, GAP_PX)
    within = within_edges(edges)
    part = filled(largest_piece(majority(within)))
    size = int(part.sum())
    if not LEAST_SHARE <= size / part.numel() <= MOST_SHARE:
        return None
    frame = torch.ones_like(part)
    frame[FRAME_PX:-FRAME_PX, FRAME_PX:-FRAME_PX] = False
    # A wire is thin: it is no piece of the part, and holds it.
    held = grown_within(part, within | part)
    others = int(((within | edges) & ~dilated(part, OUTLINE_PX)).sum()) > MOST_OF_OTHERS * size
    return None if others or bool((held & frame).any()) else part


def _within_ridge(changes: Tensor, part: Tensor) -> Tensor:
    """The part without its shadow: what lies within the strongest edge near its rim.

    Floods rise from within and from outside, and meet there (a watershed).
    """
    outside, inside = ~dilated(part, EDGE_PX), _surely_inside(part)
    for level in torch.linspace(0.0, float(changes.max()), FLOOD_STEPS)[1:].tolist():
        low = changes <= level
        outside = grown_within(outside, (low & ~inside) | outside)
        inside = grown_within(inside, (low & ~outside) | inside)
    return inside & part


def _surely_inside(part: Tensor) -> Tensor:
    """The part without its rim, which is narrower where the part is thin."""
    inside = part
    for reach in SHADOW_PX:
        inside = ~dilated(~part, reach)
        if int(dilated(inside, reach).sum()) >= LEAST_THICK * int(part.sum()):
            break
    return inside
