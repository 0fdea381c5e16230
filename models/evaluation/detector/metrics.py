"""How well anomaly scores separate defective from normal: image AUROC, pixel AUROC, PRO.

Source of PRO: Bergmann et al., "The MVTec Anomaly Detection Dataset", IJCV 2021, section 5.1.

Axes: B images, H x W pixels.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

MAX_FPR = 0.3
# Pixels that touch at a corner belong to one defect.
EIGHT_CONNECTED = np.ones((3, 3), dtype=int)

FloatArray = NDArray[np.float32] | NDArray[np.float64]


def auroc(labels: NDArray[np.bool_], scores: FloatArray) -> float:
    """Share of (defective, normal) pairs that the scores order rightly; ties count half.

    Args:
        labels: (N,) true where defective.
        scores: (N,) larger is more anomalous.

    Raises:
        ValueError: all labels are the same.
    """
    num_defective = int(labels.sum())
    num_normal = labels.size - num_defective
    if num_defective == 0 or num_normal == 0:
        raise ValueError(f"AUROC of {num_defective} defective and {num_normal} normal scores")
    ranks = stats.rankdata(scores)
    surplus = ranks[labels].sum() - num_defective * (num_defective + 1) / 2  # Mann-Whitney's U
    return float(surplus / (num_defective * num_normal))


def pixel_auroc(masks: NDArray[np.bool_], maps: FloatArray) -> float:
    """AUROC over all pixels of masks (B, H, W) and anomaly maps (B, H, W)."""
    return auroc(masks.ravel(), maps.ravel())


def pro(masks: NDArray[np.bool_], maps: FloatArray, max_fpr: float = MAX_FPR) -> float:
    """Area under the per-region overlap up to a false-positive rate of `max_fpr`, in [0, 1].

    Every connected defective region counts alike, however small: at each threshold the overlap is
    the mean over regions of the share of their pixels found; the curve over the false-positive rate
    is integrated and divided by `max_fpr`.

    Args:
        masks: (B, H, W) true where defective.
        maps: (B, H, W) larger is more anomalous.
        max_fpr: share of normal pixels above the threshold where the curve ends.

    Raises:
        ValueError: no pixel is defective, or none is normal.
    """
    weights = _region_weights(masks)
    normal = ~masks.ravel()
    if not weights.any() or not normal.any():
        raise ValueError("PRO needs defective and normal pixels")
    order = np.argsort(-maps.ravel(), kind="stable")
    descending = maps.ravel()[order]
    fpr = np.cumsum(normal[order]) / normal.sum()
    overlap = np.cumsum(weights.ravel()[order])
    # Pixels of one score are found together: keep the last of each run of equal scores.
    last = np.append(descending[1:] != descending[:-1], True)
    fpr = np.concatenate([[0.0], fpr[last]])
    overlap = np.concatenate([[0.0], overlap[last]])
    kept = fpr <= max_fpr
    at_limit = np.interp(max_fpr, fpr, overlap)
    area = np.trapezoid(np.append(overlap[kept], at_limit), np.append(fpr[kept], max_fpr))
    return float(area / max_fpr)


def _region_weights(masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """1 / (pixels of the region * number of regions) in defective pixels, else 0: (B, H, W)."""
    weights = np.zeros(masks.shape)
    num_regions = 0
    for weight, mask in zip(weights, masks, strict=True):
        regions, count = ndimage.label(mask, EIGHT_CONNECTED)
        sizes = np.bincount(regions.ravel())
        weight[mask] = 1.0 / sizes[regions[mask]]
        num_regions += count
    return weights / max(num_regions, 1)
