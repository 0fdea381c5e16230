"""The noise eps ~ N(0, 1) of the latents: where every generated image's chance comes from.

Source: Lee & Choi, CVPR 2024 (arXiv 2403.06247), section 4.1.2, z = mu + sigma * eps. That eps may
move neighbouring cells together is ours.

Axes: D latent channels, h x w latent cells.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

# eps is white noise seen through blurs of these widths (cells): grain, texture and slow change.
NOISE_WIDTHS_CELLS = (0.0, 1.0, 3.0)


def noise(shape: torch.Size, seed: int, *, smooth: bool = True) -> Tensor:
    """Draws eps ~ N(0, 1) of `shape` (D, h, w), the same for the same seed on every device.

    With `smooth`, an equal mix of white noise and of its blurs by NOISE_WIDTHS_CELLS, each brought
    back to unit variance: the marginal stays N(0, 1), neighbouring cells move together.
    """
    generator = torch.Generator().manual_seed(seed)
    if not smooth:
        return torch.randn(shape, generator=generator)
    total = torch.zeros(shape)
    for width in NOISE_WIDTHS_CELLS:
        layer = torch.randn(shape, generator=generator)
        if width:
            layer = _blur(layer, width)
        total += layer
    return total / len(NOISE_WIDTHS_CELLS) ** 0.5


def _blur(layer: Tensor, width: float) -> Tensor:
    """Gaussian blur of (D, h, w) with standard deviation `width` cells, unit variance kept."""
    radius = round(3 * width)
    taps = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / width) ** 2)
    taps = taps / taps.square().sum().sqrt()  # white noise of unit variance stays so
    padded = F.pad(
        layer[:, None],
        (radius,) * 4,
        mode="circular" if min(layer.shape[1:]) > radius else "replicate",
    )
    return F.conv2d(F.conv2d(padded, taps.view(1, 1, 1, -1)), taps.view(1, 1, -1, 1))[:, 0]
