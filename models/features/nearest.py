"""Nearest neighbours among patch features, for the guard, the generator and the detector.

Axes: P patches, N bank entries, F patch features.
"""

import torch
from torch import Tensor

from models.runtime.device_memory import HalvingBatch

# Pairs of patches compared at once: what fits a processor's cache, and what keeps a GPU busy
# unless its memory is too small.
MAX_PAIRS, MAX_PAIRS_CUDA = 2**19, 2**22
# Bank entries that give the first bound on a patch's distance, and patches looked at closely then.
NUM_BOUNDING, NUM_CLOSELY = 1024, 64


@torch.no_grad()
def nearest_indices(patches: Tensor, bank: Tensor) -> Tensor:
    """Index of the nearest row of `bank` (N, F), (P,), for patches (P, F); N is at least 1."""
    # |p - b|^2 - |p|^2 tells which is nearest.
    bank_squared = (bank * bank).sum(dim=1)  # (N,)
    to_bank = (-2.0 * bank.T).contiguous()
    pairs = MAX_PAIRS_CUDA if bank.is_cuda else MAX_PAIRS
    return HalvingBatch(max(1, pairs // len(bank))).concatenate(
        # On a CPU min is several times as fast as argmin.
        lambda rows: torch.addmm(bank_squared, rows, to_bank).min(dim=1).indices,
        patches,
    )


@torch.no_grad()
def nearest_distances(patches: Tensor, bank: Tensor) -> tuple[Tensor, Tensor]:
    """Distance to the nearest row of `bank` (N, F) and its index, both (P,), for patches (P, F).

    Distances are those of the two vectors' difference, and so exact for near ones too: 0 for a
    patch that the bank holds. N is at least 1.
    """
    indices = nearest_indices(patches, bank)
    return (patches - bank[indices]).norm(dim=1), indices


@torch.no_grad()
def farthest(patches: Tensor, bank: Tensor) -> tuple[Tensor, Tensor]:
    """The largest of `nearest_distances` and its patch's index, scalars, without most of the work.

    No patch is farther from the bank than from the bank's first rows. Those that are farthest from
    these are looked at closely, until no other one can be farther than what was found. Fast if the
    rows stand in random order.
    """
    # A GPU is faster than the questions to it.
    if bank.device.type != "cpu" or len(bank) <= NUM_BOUNDING:
        return _largest(nearest_distances(patches, bank)[0])
    bounds, order = nearest_distances(patches, bank[:NUM_BOUNDING])[0].sort(descending=True)
    distance, index = torch.tensor(-torch.inf), order[0]
    for bound, rows in zip(bounds[::NUM_CLOSELY], order.split(NUM_CLOSELY), strict=True):
        if bound <= distance or distance.isnan():  # a NaN is farther than all
            break
        found, place = _largest(nearest_distances(patches[rows], bank)[0])
        if not found <= distance:
            distance, index = found, rows[place]
    return distance, index


def _largest(values: Tensor) -> tuple[Tensor, Tensor]:
    largest = values.max(dim=0)
    return largest.values, largest.indices
