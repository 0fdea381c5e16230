"""The mirror axis of a lone part: how it lies.

Axes: H x W pixels; images (3, H, W) in [0, 1].
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

AXIS_STEP_DEG = 2


class MirrorAxis(NamedTuple):
    """Where a part differs least from its mirror image.

    Attributes:
        direction_deg: in [0, 180); 0 is the horizontal axis, angles grow counter-clockwise.
        asymmetry: how much the part differs from its mirror image there, over the median of all
            axes, in [0, 1]: near 0 on a part that has such an axis, and near 1 where the axis is
            but chance.
    """

    direction_deg: float
    asymmetry: float


def mirror_axis(image: Tensor, mask: Tensor) -> MirrorAxis:
    """Of the part that lies where `mask` (H, W) says.

    On a round part it is whatever small marks say; turning such a part does little, and so no harm.
    """
    differences = torch.tensor(
        [_mirror_difference(image, mask, angle) for angle in range(0, 180, AXIS_STEP_DEG)]
    )
    asymmetry = float(differences.min() / differences.median().clamp_min(1e-6))
    return MirrorAxis(float(AXIS_STEP_DEG * int(differences.argmin())), asymmetry)


def _mirror_difference(image: Tensor, mask: Tensor, angle_deg: float) -> float:
    """Mean difference of the part from its mirror image about the axis through its centre."""
    ys, xs = mask.nonzero(as_tuple=True)
    height, width = mask.shape
    centre_x, centre_y = float(xs.float().mean()), float(ys.float().mean())
    radius = 1.1 * float(torch.quantile(torch.hypot(xs - centre_x, ys - centre_y), 0.98))
    steps = torch.linspace(-radius, radius, 96)
    down, across = torch.meshgrid(steps, steps, indexing="ij")
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    x = centre_x + across * cos - down * sin
    y = centre_y - across * sin - down * cos
    grid = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], dim=-1)[None]
    grey = image.mean(dim=0)[None, None]
    turned = F.grid_sample(grey, grid, padding_mode="border", align_corners=True)[0, 0]
    inside = torch.hypot(down, across) <= radius
    return float((turned - turned.flip(0)).abs()[inside].mean())
