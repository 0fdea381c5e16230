"""PatchCore: the detector that every row of the evaluation trains.

Source: Roth et al., "Towards Total Recall in Industrial Anomaly Detection", CVPR 2022
(arXiv 2106.08265), sections 3.1 to 3.3.

Axes: B images, P = h * w patches of an image, F features of a patch, N patches in the bank M.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from models.evaluation.detector.coreset import greedy_coreset
from models.evaluation.detector.networks import PatchNetwork
from models.features.nearest import nearest_distances

IMAGE_PX = 224
BATCH = 8
NEIGHBOURS = 9
SMOOTHING_PX = 4.0


class AnomalyScores(NamedTuple):
    """What the detector says about B images.

    Attributes:
        images: (B,) float32 >= 0, the distance of the worst patch; larger is more anomalous.
        patches: (B, h, w) float32 >= 0, each patch's distance to the memory bank.
    """

    images: Tensor
    patches: Tensor


def to_batch(images: Sequence[Image.Image]) -> Tensor:
    """The images squeezed to 224 x 224 px as detectors do, (B, 3, 224, 224) in [0, 1]."""
    side = (IMAGE_PX, IMAGE_PX)
    arrays = [np.array(i.convert("RGB").resize(side, Image.Resampling.BICUBIC)) for i in images]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float() / 255.0


@torch.no_grad()
def extract(features: PatchNetwork, images: Sequence[Image.Image]) -> Tensor:
    """Patch features of whole images, (B, P, F) float32."""
    batches = (images[start : start + BATCH] for start in range(0, len(images), BATCH))
    return torch.cat([features.patches(to_batch(batch)) for batch in batches])


class PatchCore:
    """A memory bank of normal patches; what lies far from all of them is anomalous.

    Args:
        coreset_size: most patches in the bank. The same number for every row of a table, so that a
            row cannot win by a larger memory alone.
        reweight: weigh an image's score down where the bank is sparse (the paper's equation 7).
    """

    def __init__(self, features: PatchNetwork, *, coreset_size: int = 4096, reweight: bool = False):
        self.features = features
        self.coreset_size = coreset_size
        self.reweight = reweight
        self.bank = torch.empty(0)

    def fit(self, images: Sequence[Image.Image], seed: int = 0) -> "PatchCore":
        """Fills the memory bank from normal images."""
        return self.fit_patches(extract(self.features, images), seed)

    def fit_patches(self, patches: Tensor, seed: int = 0) -> "PatchCore":
        """`fit` for images whose patch features (B, P, F) are there; other seed, other coreset."""
        self.bank = greedy_coreset(patches.flatten(0, 1), self.coreset_size, seed)
        return self

    @torch.no_grad()
    def score(self, patches: Tensor) -> AnomalyScores:
        """Scores images by their patch features (B, P, F), as `extract` returns them."""
        batch, num_patches = patches.shape[:2]
        side = round(num_patches**0.5)
        flat, nearest = nearest_distances(patches.flatten(0, 1), self.bank)
        distances = flat.reshape(batch, num_patches)
        worst = distances.max(dim=1)
        scores = worst.values  # s* of the paper's equation 6
        if self.reweight:
            rows = torch.arange(batch)
            m_star = nearest.reshape(batch, num_patches)[rows, worst.indices]
            scores = scores * self._weights(patches[rows, worst.indices], m_star, scores)
        return AnomalyScores(scores, distances.reshape(batch, side, side))

    def _weights(self, m_test: Tensor, m_star: Tensor, s_star: Tensor) -> Tensor:
        """W = 1 - exp(s*) / sum over N_b(m*) of exp ||m_test - m||, (B,) (equation 7)."""
        num_neighbours = min(NEIGHBOURS, len(self.bank))
        around = torch.cdist(self.bank[m_star], self.bank).topk(num_neighbours, largest=False)
        neighbours = self.bank[around.indices]  # (B, b, F)
        to_neighbours = (neighbours - m_test[:, None]).norm(dim=2)
        # Features enter by the square root of their number, or the exponentials overflow.
        scale = m_test.shape[1] ** 0.5
        shares = torch.logsumexp(to_neighbours / scale, dim=1) - s_star / scale
        return 1.0 - torch.exp(-shares)


def anomaly_maps(patches: Tensor, size_px: int = IMAGE_PX) -> Tensor:
    """Patch distances (B, h, w) as smooth maps (B, size, size): bilinear, then Gaussian."""
    maps = F.interpolate(patches[:, None], (size_px, size_px), mode="bilinear", align_corners=False)
    reach = int(4 * SMOOTHING_PX)
    offsets = torch.arange(-reach, reach + 1, dtype=maps.dtype)
    kernel = torch.exp(-0.5 * (offsets / SMOOTHING_PX) ** 2)
    kernel = kernel / kernel.sum()
    padded = F.pad(maps, (reach, reach, reach, reach), mode="reflect")
    smooth = F.conv2d(F.conv2d(padded, kernel[None, None, :, None]), kernel[None, None, None, :])
    return smooth[:, 0]
