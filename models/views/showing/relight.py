"""Lets light fall on an image as a view says: brighter, steeper, sloped, uneven.

How uneven it may get is decided in models/views/decision/light.py. No light brings a pixel to
saturation that was not there: what is dark is multiplied, towards white the response bends as a
camera's shoulder does, and white, which says nothing of how bright it was, stays white.

Axes: H x W pixels; images (3, H, W) in [0, 1].
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from models.views.view import View

# Knots of a lighting field along each side.
LIGHT_KNOTS = 4
# The shoulder rises throughout up to this factor of light.
MOST_LIGHT = 2.0


def relight(image: Tensor, view: View) -> Tensor:
    """Applies gain * x^gamma under the view's lighting fields; (3, H, W) in [0, 1]."""
    _, height, width = image.shape
    across = torch.linspace(-1.0, 1.0, width, device=image.device)[None, None, :]
    down = torch.linspace(-1.0, 1.0, height, device=image.device)[None, :, None]
    field = view.gain * (1.0 + view.light_x * across + view.light_y * down)
    if view.light:
        slow = lighting_field(height, width, view.light_seed).to(image.device)
        field = field * torch.exp(view.light * slow)
    return lit(image if view.gamma == 1.0 else image.pow(view.gamma), field)


def lit(image: Tensor, field: Tensor) -> Tensor:
    """The image in [0, 1] under so many times the light, in [0, 1]; below 1 stays below 1."""
    field = field.clamp(0.0, MOST_LIGHT)
    return field * image / (1 + (field - 1) * image.square())


def lighting_field(height: int, width: int, seed: int) -> Tensor:
    """A smooth field of mean 0 and standard deviation 1, (height, width); one seed, one field."""
    generator = torch.Generator().manual_seed(seed)
    knots = torch.randn(1, 1, LIGHT_KNOTS, LIGHT_KNOTS, generator=generator)
    field = F.interpolate(knots, (height, width), mode="bicubic", align_corners=True)[0, 0]
    return (field - field.mean()) / field.std()
