"""The discriminator's part in a training run: its weight in the autoencoder's loss, its own steps.

Source: Esser et al., "Taming Transformers", CVPR 2021 (arXiv 2012.09841), section 3.1.

Axes: B batch, H x W pixels; images in [-1, 1].
"""

from typing import Any

import torch
from torch import Tensor, nn

from models.runtime.precision import reduced_precision
from models.training.vqgan.discriminator import (
    PatchDiscriminator,
    adaptive_weight,
    discriminator_loss,
    generator_loss,
)

BETAS = (0.5, 0.9)


class Adversary:
    """A discriminator that learns beside the autoencoder.

    Args:
        device: where it computes.
        last: the decoder's last layer, by whose gradients the two losses are balanced.
        weight: of its loss beside the balanced one, > 0.
        lr: its learning rate.
    """

    def __init__(self, device: torch.device, last: nn.Parameter, *, weight: float, lr: float):
        self.discriminator = PatchDiscriminator().to(device)
        self.optimizer = torch.optim.Adam(self.discriminator.parameters(), lr=lr, betas=BETAS)
        self.last, self.weight = last, weight

    def loss(self, reconstruction: Tensor, decoded: Tensor) -> tuple[Tensor, Tensor]:
        """What the autoencoder adds to its loss `reconstruction`, and the factor in it, scalars."""
        with reduced_precision(decoded.device):
            loss = generator_loss(self.discriminator(decoded).float())
        factor = self.weight * adaptive_weight(reconstruction, loss, self.last)
        return factor * loss, factor

    def step(self, x: Tensor, decoded: Tensor) -> None:
        """Learns from photographs x and reconstructions without gradients, both (B, 3, H, W)."""
        # What the autoencoder's loss left in the gradients goes with them.
        self.optimizer.zero_grad(set_to_none=True)
        with reduced_precision(decoded.device):
            real, fake = self.discriminator(x).float(), self.discriminator(decoded).float()
        discriminator_loss(real, fake).backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()

    def state(self) -> dict[str, Any]:
        """All that its next step depends on, for `load_state`."""
        return {
            "discriminator": self.discriminator.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on from what `state` gave."""
        self.discriminator.load_state_dict(state["discriminator"])
        self.optimizer.load_state_dict(state["optimizer"])
