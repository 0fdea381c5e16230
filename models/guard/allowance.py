"""How far sigma may change an image: less than the views of the job do, as a detector sees it.

How far good images lie from each other cannot be measured on one; how far their views lie from them
can, and a change that is small against that hardly takes an image out of what the line makes. The
paper has no such bound.

Axes: B batch, F patch features, H x W pixels; images in [0, 1].
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from models.features.patches import PatchFeatures, resized

# A change may be this share of what a view changes in the median: at a right angle to it, the two
# together are 12 % more.
ALLOWED_SHARE = 0.5
# Long side in px at which an image is looked at: a detector's usual one.
LOOKED_AT_PX = 224


@dataclass(frozen=True)
class Allowance:
    """A distance between images that sigma may make.

    Attributes:
        features: sees the images.
        distance: the most that is allowed, in feature units.
    """

    features: PatchFeatures
    distance: float

    @classmethod
    def fit(
        cls, features: PatchFeatures, views: Tensor, images: Tensor, sources: list[int]
    ) -> "Allowance":
        """Of a job with these views (B, 3, H, W) of the real images (k, 3, H, W).

        `sources` says of each view which image it shows.
        """
        own = _summary(features, images)[sources]
        distances = (_summary(features, views) - own).norm(dim=1)
        return cls(features, ALLOWED_SHARE * float(distances.median()))

    @torch.no_grad()
    def share(self, views: Tensor, varied: Tensor) -> Tensor:
        """The share of the change from `views` to `varied` that is allowed, (B,) in [0, 1].

        Both are (B, 3, H, W). A change half as large counts as half as far.
        """
        distances = (_summary(self.features, varied) - _summary(self.features, views)).norm(dim=1)
        return (self.distance / distances.clamp_min(1e-9)).clamp_max(1.0)


@torch.no_grad()
def _summary(features: PatchFeatures, images: Tensor) -> Tensor:
    """Mean and deviation of each patch feature over the image, (B, 2 F)."""
    rows = []
    for image in images.split(1):
        patches = features.patches(resized(image, LOOKED_AT_PX))  # (1, P, F)
        rows.append(torch.cat([patches.mean(dim=1), patches.std(dim=1)], dim=1))
    return torch.cat(rows)
