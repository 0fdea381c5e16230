"""Changes an image's size and keeps its sharpness: Lanczos, antialiased, as two matrix products.

The same products on every device. Axes: H0 x W0 pixels of the image, H x W of what is returned.
"""

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

# Lobes of the kernel: 3 where an image is reduced, as Pillow has them, so that a view of nothing
# changed equals the image itself; more where it is enlarged to be warped, for a flat response.
REDUCING_LOBES, ENLARGING_LOBES = 3, 10
# Matrices of so many pairs of lengths are kept.
KEPT_MATRICES = 16
MOST_SHARPENED, MOST_BLURRED = 0.3, 0.1


def resampled(image: Tensor, size: tuple[int, int]) -> Tensor:
    """The image (C, H0, W0) at `size` (width, height), (C, H, W); it may overshoot its range."""
    width, height = size
    if image.shape[-2:] == (height, width):
        return image
    across = _matrix(image.shape[-1], width).to(image.device)
    down = _matrix(image.shape[-2], height).to(image.device)
    return down @ (image @ across.T)


@lru_cache(maxsize=KEPT_MATRICES)
def _matrix(num_in: int, num_out: int) -> Tensor:
    """Weights (num_out, num_in) of the inputs in each output; each row's sum is 1."""
    stretch = max(1.0, num_in / num_out)
    lobes = REDUCING_LOBES if num_out <= num_in else ENLARGING_LOBES
    centres = (torch.arange(num_out, dtype=torch.float64) + 0.5) * num_in / num_out - 0.5
    x = (torch.arange(num_in, dtype=torch.float64)[None] - centres[:, None]) / stretch
    weights = torch.where(x.abs() < lobes, torch.sinc(x) * torch.sinc(x / lobes), 0.0)
    return (weights / weights.sum(dim=1, keepdim=True)).float()


def gradient_energy(image: Tensor) -> Tensor:
    """Mean squared difference to the right neighbour and to the lower one, a scalar."""
    return image.diff(dim=2).square().mean() + image.diff(dim=1).square().mean()


def sharpened(image: Tensor, strength: Tensor | float) -> Tensor:
    """The image (C, H, W) and `strength` times the detail that a 3 x 3 mean takes away."""
    return image + strength * _detail(image)


def lost_sharpness(still: Tensor, warped: Tensor, size: tuple[int, int]) -> Tensor:
    """The strength for `sharpened` that gives a warp's result its gradient energy back, a scalar.

    Args:
        still: the image (C, H, W).
        warped: the same moved by a fraction of a pixel, so that only the warp's own loss differs.
        size: (width, height) at which both are shown and compared.
    """
    shown, detail = resampled(warped, size), resampled(_detail(warped), size)
    # The energy of warped + a * detail is a quadratic in a.
    now, most = gradient_energy(shown), gradient_energy(detail)
    mixed = (gradient_energy(shown + detail) - now - most) / 2
    wanted = gradient_energy(resampled(still, size))
    root = (mixed.square() + most * (wanted - now)).clamp_min(0.0).sqrt()
    strength = (root - mixed) / most.clamp_min(1e-12)
    return strength.clamp(-MOST_BLURRED, MOST_SHARPENED)


def _detail(image: Tensor) -> Tensor:
    padded = F.pad(image[None], (1, 1, 1, 1), mode="replicate")
    return image - F.avg_pool2d(padded, 3, 1)[0]
