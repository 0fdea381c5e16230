"""What the encoder says of an image's latents: a normal distribution in every cell.

Source: Lee & Choi, CVPR 2024 (arXiv 2403.06247), section 4.1.2. Known without the model, whose
library takes a second to import and which most jobs never need.
"""

from typing import NamedTuple

import torch
from torch import Tensor

# log sigma^2 of a head that has seen no evidence: sigma = e^-6, far below the codebook's spacing.
NO_EVIDENCE_LOGVAR = -12.0
LOGVAR_RANGE = (-14.0, 4.0)


class LatentDistribution(NamedTuple):
    """The encoder's answer E(I) = N(mu, sigma^2), one value per latent cell and channel.

    Axes: B batch, D latent channels, h x w latent cells.

    Attributes:
        mean: mu, (B, D, h, w) float.
        logvar: log sigma^2, (B, D, h, w) float within LOGVAR_RANGE.
    """

    mean: Tensor
    logvar: Tensor

    @property
    def std(self) -> Tensor:
        """sigma, (B, D, h, w), positive."""
        return torch.exp(0.5 * self.logvar)
