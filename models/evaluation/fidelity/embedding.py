"""An image as one point: mean and deviation of its patches in a network.

Where a part lies does not move the point, what it looks like does.
"""

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from models.evaluation.detector.networks import PatchNetwork
from models.evaluation.detector.patchcore import BATCH, extract


def pooled(patches: Tensor) -> Tensor:
    """Mean, then standard deviation over the patches (B, P, F) of each image, (B, 2 F)."""
    return torch.cat([patches.mean(dim=1), patches.std(dim=1, correction=0)], dim=1)


def embed(features: PatchNetwork, images: Sequence[Image.Image]) -> Tensor:
    """The images as points, (B, 2 F); their patches are not kept."""
    batches = (images[start : start + BATCH] for start in range(0, len(images), BATCH))
    return torch.cat([pooled(extract(features, batch)) for batch in batches])
