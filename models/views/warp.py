"""Shows an image through a view: moved, turned, mirrored, scaled and re-lit.

Axes: H0 x W0 pixels of the image, H x W of what is shown; images (3, H, W) in [0, 1].
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from models.views.relight import relight
from models.views.view import View


def apply_view(image: Tensor, view: View, size: tuple[int, int]) -> Tensor:
    """The image (3, H0, W0) in [0, 1] as the view shows it, (3, height, width) in [0, 1].

    The transformation and the change of size are one resampling, so that nothing is blurred twice.
    """
    width, height = size
    angle = math.radians(view.angle_deg)
    cos, sin = math.cos(angle) / view.scale, math.sin(angle) / view.scale
    aspect = width / height
    mirror_x = -1.0 if view.flip_horizontal else 1.0
    mirror_y = -1.0 if view.flip_vertical else 1.0
    # Output to input coordinates, both in [-1, 1]; turning happens in square pixels.
    theta = torch.tensor(
        [
            [mirror_x * cos, -mirror_x * sin / aspect, 2 * view.shift_x],
            [mirror_y * sin * aspect, mirror_y * cos, 2 * view.shift_y],
        ],
        dtype=image.dtype,
        device=image.device,
    )
    grid = F.affine_grid(theta[None], [1, 3, height, width], align_corners=False)
    if view == View() and image.shape[-2:] == (height, width):
        return image
    warped = F.grid_sample(
        image[None], grid, mode="bicubic", padding_mode="reflection", align_corners=False
    )[0]
    if view.fill == "ground":
        covered = F.grid_sample(torch.ones_like(image[None, :1]), grid, align_corners=False)[0]
        ground = F.interpolate(image[None], [height, width], mode="bilinear", align_corners=False)
        warped = covered * warped + (1 - covered) * ground[0]
    return relight(warped.clamp(0.0, 1.0), view)
