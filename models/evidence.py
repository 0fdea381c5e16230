"""Evidence of variance: where matched patches of good images differ, and by how much.

sigma must come from what the images show, not from chance: a latent cell's variance is the spread of
the latents at patches that look the same as its own, in the other images or elsewhere in the same one.
A cell that nothing resembles gets none.

Axes: k images, D latent channels, h x w latent cells, F patch features.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

NUM_MATCHES = 6
# Cells this close in the same image are the same patch seen again, no evidence of anything.
EXCLUDED_RADIUS_CELLS = 4
# Weight of "no variance here" against the matches' weights, each at most 1.
PRIOR_WEIGHT = 1.0
MAX_KEYS = 8192


@torch.no_grad()
def match_variance(latents: Tensor, descriptors: Tensor, same_distance: float) -> Tensor:
    """Variance of each latent that matched patches speak for, (k, D, h, w), >= 0.

    s_i^2 = sum_j w_ij (mu_j - mu_i)^2 / 2 / (sum_j w_ij + PRIOR_WEIGHT) over the NUM_MATCHES nearest
    patches j, w_ij = exp(-(d_ij / same_distance)^2). Half the squared difference of two draws of one
    distribution has its variance as the mean.

    Args:
        latents: mu of the k good images, (k, D, h, w).
        descriptors: patch features of the same images, (k, F, h', w'), resized to the latents' grid.
        same_distance: distance of a patch to itself seen again (through a small view); > 0.
    """
    k, _, height, width = latents.shape
    grid = F.interpolate(descriptors, (height, width), mode="bilinear", align_corners=False)
    keys = grid.permute(0, 2, 3, 1).reshape(-1, grid.shape[1])  # (k * h * w, F)
    values = latents.permute(0, 2, 3, 1).reshape(-1, latents.shape[1])  # (k * h * w, D)
    places = _places(k, height, width)
    thinned = torch.randperm(len(keys), generator=torch.Generator().manual_seed(0))[:MAX_KEYS]
    variances = []
    for start in range(0, len(keys), 2048):
        rows = slice(start, start + 2048)
        distance = torch.cdist(keys[rows], keys[thinned])
        apart = (places[rows, None] - places[None, thinned]).abs().amax(dim=2)
        distance[apart <= EXCLUDED_RADIUS_CELLS] = torch.inf
        nearest, index = distance.topk(min(NUM_MATCHES, distance.shape[1]), dim=1, largest=False)
        weights = torch.exp(-((nearest / same_distance) ** 2))
        squares = (values[thinned][index] - values[rows, None]) ** 2 / 2  # (rows, matches, D)
        spread = (weights[..., None] * squares).sum(dim=1)
        variances.append(spread / (weights.sum(dim=1, keepdim=True) + PRIOR_WEIGHT))
    return torch.cat(variances).reshape(k, height, width, -1).permute(0, 3, 1, 2)


def _places(k: int, height: int, width: int) -> Tensor:
    """(k * h * w, 3): the image's number, far apart for different images, then row and column."""
    image, row, column = torch.meshgrid(
        torch.arange(k) * 10_000, torch.arange(height), torch.arange(width), indexing="ij"
    )
    return torch.stack([image, row, column], dim=-1).reshape(-1, 3)
