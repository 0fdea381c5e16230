"""Which patches a memory bank keeps: few that lie near all.

Source: Roth et al., "Towards Total Recall in Industrial Anomaly Detection" (PatchCore), CVPR 2022
(arXiv 2106.08265), section 3.2 and algorithm 1; the number of projected features is that of the
authors' own code.

Axes: N patches, F features.
"""

import torch
from torch import Tensor

PROJECTED_FEATURES = 128


def greedy_coreset(patches: Tensor, size: int, seed: int) -> Tensor:
    """At most `size` rows of `patches` (N, F) that cover the others: greedy k-centre.

    The seed draws the first row and the projection. A smaller coreset is the beginning of a larger
    one of the same seed.
    """
    if len(patches) <= size:
        return patches
    generator = torch.Generator().manual_seed(seed)
    z = projected(patches, generator)
    squared = (z * z).sum(dim=1)
    chosen = [int(torch.randint(len(z), (1,), generator=generator))]
    nearest = torch.full((len(z),), torch.inf)
    for _ in range(size - 1):
        centre = z[chosen[-1]]
        # ||z - c||^2 - ||c||^2 + ||c||^2 without a temporary of z's size.
        distances = torch.addmv(squared, z, centre, alpha=-2.0) + squared[chosen[-1]]
        nearest = torch.minimum(nearest, distances)
        nearest[chosen[-1]] = -torch.inf
        chosen.append(int(nearest.argmax()))
    return patches[chosen]


def projected(patches: Tensor, generator: torch.Generator) -> Tensor:
    """`patches` (N, F) with fewer features and nearly the same distances (Johnson-Lindenstrauss).

    Where that would not halve them, they stay as they are: nothing is saved then.
    """
    num_features = patches.shape[1]
    if num_features < 2 * PROJECTED_FEATURES:
        return patches
    shape = (num_features, PROJECTED_FEATURES)
    return patches @ (torch.randn(shape, generator=generator) / PROJECTED_FEATURES**0.5)
