"""Uneven light: how far it may vary on good images.

On a texture the same surface lies everywhere, so that slow changes of its brightness from image to
image are the light's. Within one image they may be the part's own (a fold of cloth, a white
ground), and on a part they are its shape; neither is varied. Views are lit in
models/views/showing/relight.py.

Axes: k images, H x W pixels, P patches; images in [0, 1].
"""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.features.patches import PatchFeatures
from models.views.showing.warp import apply_view
from models.views.view import PROBED_LIMITS, draw_view

# A patch is found again where it lies at least so many patches away.
APART_PATCHES = 6
# A texture: three of four patches are found again within this multiple of the distance at which a
# patch is found in a small view of itself. Measured: textures 1.5 to 2.6, parts 3.0 to 6.
TEXTURE_RATIO = 2.8
# Slow is what a blur by this share of the image's long side leaves.
SLOW_SHARE = 1 / 16
DARKEST = 0.02
LEAST_SPREAD, MOST_SPREAD = 0.1, 0.3
# What a user's word that the light varies means where the images do not say how much.
USUAL_SPREAD = 0.2
# More images than this would only cost time.
MAX_IMAGES = 8


@torch.no_grad()
def self_similarity(image: Tensor, features: PatchFeatures) -> float:
    """Distance at which three of four patches are found elsewhere in the image, >= 0.

    In units of the median distance at which a patch is found again in a small view of the image
    (3, H, W), H and W multiples of 32.
    """
    height, width = (side // features.patch_stride for side in image.shape[-2:])
    patches = features.patches(image[None])[0]  # (P, F)
    down, across = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    positions = torch.stack([down, across], dim=-1).reshape(-1, 2).to(image.device)
    apart = (positions[:, None] - positions[None]).abs().amax(dim=2)
    distances = torch.cdist(patches, patches)
    distances[apart < APART_PATCHES] = torch.inf
    rng = np.random.default_rng(0)
    size = (image.shape[-1], image.shape[-2])
    views = torch.stack(
        [
            apply_view(image, draw_view(frozenset(), rng, limits=PROBED_LIMITS), size)
            for _ in range(4)
        ]
    )
    again = torch.cdist(features.patches(views).flatten(0, 1), patches).amin(dim=1)
    elsewhere = distances.amin(dim=1).quantile(0.75)
    return float(elsewhere / again.median().clamp_min(1e-9))


def slow_part(image: Tensor) -> Tensor:
    """The slow part of log brightness of the image (3, H, W), (H, W), its mean 0.

    The mean is the lamp's strength or the exposure; a view's gain varies that.
    """
    brightness = image.mean(dim=0).clamp_min(DARKEST).log()
    width = SLOW_SHARE * max(brightness.shape)
    radius = math.ceil(2.5 * width)
    taps = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, device=image.device) / width) ** 2)
    taps = taps / taps.sum()
    padded = F.pad(brightness[None, None], (radius,) * 4, mode="replicate")
    slow = F.conv2d(F.conv2d(padded, taps.view(1, 1, 1, -1)), taps.view(1, 1, -1, 1))[0, 0]
    return slow - slow.mean()


def spread_between(images: Tensor) -> float:
    """How far the slow parts of the images (k, 3, H, W) differ at the same place, >= 0.

    The median over all places of the standard deviation over images, so that a border which is
    seen in one image and not in the other does not speak for the light; 0 for one image.
    """
    if len(images) < 2:
        return 0.0
    slow = torch.stack([slow_part(image) for image in images])  # (k, H, W)
    return float(slow.std(dim=0).median())


def light_spread(images: Tensor, features: PatchFeatures) -> float:
    """Standard deviation of log brightness by which new light may differ; 0 leaves the light.

    One image shows one light and says nothing of others: its own unevenness may be the part's.

    Args:
        images: good ones, (k, 3, H, W), H and W multiples of 32.
        features: tell a texture from a part.
    """
    images = images[:MAX_IMAGES]
    spread = spread_between(images)
    if spread < LEAST_SPREAD:
        return 0.0
    ratios = [self_similarity(image, features) for image in images]
    return min(spread, MOST_SPREAD) if float(np.median(ratios)) <= TEXTURE_RATIO else 0.0
