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
    layers = [_blurred_noise(shape, width, generator) for width in NOISE_WIDTHS_CELLS]
    return torch.stack(layers).sum(dim=0) / len(layers) ** 0.5


def _blurred_noise(shape: torch.Size, width: float, generator: torch.Generator) -> Tensor:
    """White noise of `shape` (D, h, w) blurred by `width` cells around the edges, unit variance."""
    if not width:
        return torch.randn(shape, generator=generator)
    radius = round(3 * width)
    taps = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / width) ** 2)
    taps = taps / taps.square().sum().sqrt()  # white noise of unit variance stays so
    # A blur must not meet itself behind the edge: a narrower grid is cut from a wider one.
    depth, height, columns = shape
    drawn = torch.randn(
        depth, max(height, 2 * radius + 1), max(columns, 2 * radius + 1), generator=generator
    )
    padded = F.pad(drawn[:, None], (radius,) * 4, mode="circular")
    blurred = F.conv2d(F.conv2d(padded, taps.view(1, 1, 1, -1)), taps.view(1, 1, -1, 1))
    return blurred[:, 0, :height, :columns]
