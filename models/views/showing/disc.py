"""A round part of which a piece of the rim looks like the ground: the disc that it is.

Axes: h x w pixels; masks bool.
"""

import math

import torch
from torch import Tensor

from models.views.showing.mask_shapes import dilated

# Circles through three points of the outline that are tried; the one is kept that most lies on.
NUM_TRIED = 200
# A point lies on a circle that is no farther from it than this share of the radius: of pump
# impellers, lenses and bottles most of the outline does, of hazelnuts less.
ON_CIRCLE = 0.015
# So much of the whole circle must be seen, in steps of so many degrees: shadows hide the rest.
LEAST_SEEN, STEP_DEG = 0.6, 5
# What is missing of the disc, as a share of it, at most: more is another shape. Measured: pieces of
# impellers' rims .014 to .046, beside a nearly round hazelnut .069.
MOST_MISSING = 0.06


def whole_disc(mask: Tensor) -> Tensor:
    """The disc (h, w) that the mask (h, w) is but for a piece of its rim; empty if it is none.

    Source of the fit: Fischler & Bolles, "Random sample consensus", CACM 24, 1981.
    """
    nothing = torch.zeros_like(mask)
    ys, xs = (mask & dilated(~mask, 1)).nonzero(as_tuple=True)
    points = torch.stack([xs, ys], dim=1).double()  # (N, 2)
    if len(points) < 3:
        return nothing
    generator = torch.Generator().manual_seed(0)
    threes = torch.randint(len(points), (NUM_TRIED, 3), generator=generator).to(points.device)
    centres, radii = _circles(points[threes])
    within = radii.isfinite() & (radii < max(mask.shape))
    if not within.any():
        return nothing
    centres, radii = centres[within], radii[within]
    off = (torch.cdist(centres, points) - radii[:, None]).abs()  # (circles, N)
    best = int((off <= ON_CIRCLE * radii[:, None]).sum(dim=1).argmax())
    seen = points[off[best] <= ON_CIRCLE * radii[best]]
    x, y, radius = _fitted_circle(seen)
    angles = torch.atan2(seen[:, 1] - y, seen[:, 0] - x) * 180 / math.pi
    num_seen = len(torch.div(angles, STEP_DEG, rounding_mode="floor").unique())
    if num_seen < LEAST_SEEN * 360 / STEP_DEG:
        return nothing
    rows = torch.arange(mask.shape[0], device=mask.device)[:, None]
    columns = torch.arange(mask.shape[1], device=mask.device)[None]
    # The outline's pixels are within the mask.
    disc = torch.hypot(columns - x, rows - y) <= radius + 0.5
    missing = int((disc & ~mask).sum())
    return disc if missing <= MOST_MISSING * int(disc.sum()) else nothing


def _fitted_circle(points: Tensor) -> tuple[float, float, float]:
    """Centre x, y and radius of the circle nearest to points (N, 2), in least squares."""
    # x^2 + y^2 = 2 x_0 x + 2 y_0 y + (r^2 - x_0^2 - y_0^2), which is linear
    factors = torch.cat([2 * points, torch.ones_like(points[:, :1])], dim=1)
    solved = torch.linalg.lstsq(factors.cpu(), points.square().sum(dim=1, keepdim=True).cpu())
    x, y, rest = solved.solution[:, 0].tolist()
    return x, y, math.sqrt(max(0.0, rest + x**2 + y**2))


def _circles(threes: Tensor) -> tuple[Tensor, Tensor]:
    """Centres (M, 2) and radii (M,) of the circles through three points each, (M, 3, 2)."""
    first, second, third = threes.unbind(dim=1)
    # Each is as far from the first as from the others: two linear equations.
    a, b = second - first, third - first
    double = 2 * (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
    aa, bb = a.square().sum(dim=1), b.square().sum(dim=1)
    x = (b[:, 1] * aa - a[:, 1] * bb) / double
    y = (a[:, 0] * bb - b[:, 0] * aa) / double
    return first + torch.stack([x, y], dim=1), torch.hypot(x, y)
