"""Precision and coverage of generated images against real ones that nothing was made from.

Source: precision: Kynkaanniemi et al., "Improved Precision and Recall Metric for Assessing
Generative Models", NeurIPS 2019 (arXiv 1904.06991), equation 2; coverage: Naeem et al., "Reliable
Fidelity and Diversity Metrics for Generative Models", ICML 2020 (arXiv 2002.09797), equation 10.

Axes: N real images, M generated ones, D features of an image.
"""

import torch
from torch import Tensor

NEIGHBOUR = 5


def neighbour_radii(real: Tensor, neighbour: int = NEIGHBOUR) -> Tensor:
    """Each real image's (N, D) distance to its `neighbour`-th nearest among the others, (N,).

    Raises:
        ValueError: there are not so many others.
    """
    if len(real) <= neighbour:
        raise ValueError(f"{len(real)} images have no {neighbour} neighbours each")
    between = _distances(real, real).fill_diagonal_(torch.inf)
    return between.kthvalue(neighbour, dim=1).values


def precision(generated: Tensor, real: Tensor, radii: Tensor) -> float:
    """Share of the generated images (M, D) that lie within the radius of a real one; 0 of none."""
    if not len(generated):
        return 0.0
    return float(_within(generated, real, radii).any(dim=1).double().mean())


def coverage(generated: Tensor, real: Tensor, radii: Tensor) -> float:
    """Share of the real images (N, D) with a generated one within their radius; 0 with none."""
    if not len(generated):
        return 0.0
    return float(_within(generated, real, radii).any(dim=0).double().mean())


def _within(generated: Tensor, real: Tensor, radii: Tensor) -> Tensor:
    """Whether the generated image lies within the real one's radius, (M, N) bool."""
    return _distances(generated, real) <= radii


def _distances(a: Tensor, b: Tensor) -> Tensor:
    # Measured difference by difference: that of large squares would lose the small distances.
    exact = "donot_use_mm_for_euclid_dist"
    return torch.cdist(a.double(), b.double(), compute_mode=exact)
