"""Nearest neighbours among patch features, for the guard, the generator and the detector.

Axes: P patches, N bank entries, F patch features.
"""

import torch
from torch import Tensor

from models.runtime.device_memory import HalvingBatch

# Pairs of patches compared at once, unless the device's memory is too small.
MAX_PAIRS = 2**22


@torch.no_grad()
def nearest_distances(patches: Tensor, bank: Tensor) -> tuple[Tensor, Tensor]:
    """Distance to the nearest row of `bank` (N, F) and its index, both (P,), for patches (P, F).

    Distances are those of the two vectors' difference, and so exact for near ones too: 0 for a
    patch that the bank holds. N is at least 1.
    """
    bank_squared = (bank * bank).sum(dim=1)  # (N,)
    # |p - b|^2 - |p|^2 tells which is nearest, but loses small distances to rounding.
    indices = HalvingBatch(max(1, MAX_PAIRS // len(bank))).concatenate(
        lambda rows: torch.addmm(bank_squared, rows, bank.T, alpha=-2.0).argmin(dim=1), patches
    )
    return (patches - bank[indices]).norm(dim=1), indices
