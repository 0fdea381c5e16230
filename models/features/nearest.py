"""Nearest neighbours among patch features.

Axes: P patches, N bank entries, F patch features.
"""

import torch
from torch import Tensor

from models.runtime.device_memory import HalvingBatch

# Pairs of patches whose distances are held at once, unless the device's memory is too small.
MAX_PAIRS = 2**26


@torch.no_grad()
def nearest_distances(patches: Tensor, bank: Tensor) -> Tensor:
    """Each patch's (P, F) distance to its nearest in the bank (N, F): (P,)."""
    return HalvingBatch(max(1, MAX_PAIRS // len(bank))).concatenate(
        lambda rows: torch.cdist(rows, bank).amin(dim=1), patches
    )
