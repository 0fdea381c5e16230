"""The colours in which good images vary; a generated change stays within them. Not in the paper.

Axes: k images, H x W pixels; images in [0, 1].
"""

import torch
from torch import Tensor
from torch.nn import functional as F

# Width in px of the blur that tells local contrast from slow change.
CONTRAST_WIDTH_PX = 9


def colour_filter(images: Tensor) -> Tensor:
    """Keeps a change within the colours in which good images (k, 3, H, W) vary: (3, 3), symmetric.

    U diag(sqrt(lambda / lambda_max)) U^T of the covariance of local contrast, U diag(lambda) U^T: a
    grey image stays grey, a brown part varies along its browns.
    """
    radius = CONTRAST_WIDTH_PX // 2
    # At the edge the mean is of the pixels that there are: the edge itself is no contrast.
    slow = F.avg_pool2d(images, CONTRAST_WIDTH_PX, 1, radius, count_include_pad=False)
    contrast = (images - slow).permute(1, 0, 2, 3).flatten(1)  # (3, k * H * W)
    values, vectors = torch.linalg.eigh(contrast @ contrast.T / contrast.shape[1] + 1e-9)
    strength = (values.clamp_min(0.0) / values.max().clamp_min(1e-12)).sqrt()
    return vectors @ torch.diag(strength) @ vectors.T
