"""The codebook follows its codes by an exponential moving average; dead entries restart.

Source: van den Oord et al., "Neural Discrete Representation Learning", 2017, appendix A.1; restart
as in Dhariwal et al., "Jukebox", 2020 (arXiv 2005.00341), section 3.

Axes: N latents, K entries, D latent channels.
"""

import torch
from torch import Tensor

DECAY = 0.98
# An entry that wins fewer latents a batch than this, on average, is dead.
DEAD_BELOW = 0.05


class CodebookAverage:
    """Moves each codebook entry to the average of the latents it won.

    Attributes:
        weight: the entries (K, D), changed in place.
        counts: latents a batch that each won, (K,).
        sums: their sums, (K, D).
    """

    def __init__(self, weight: Tensor, *, decay: float = DECAY, dead_below: float = DEAD_BELOW):
        self.weight, self.decay, self.dead_below = weight, decay, dead_below
        self.counts = torch.ones(len(weight), device=weight.device)
        self.sums = weight.detach().clone()

    @torch.no_grad()
    def start_from(self, z: Tensor, generator: torch.Generator) -> None:
        """Takes random ones of the latents z (N, D) as entries."""
        self.weight.data.copy_(z[_some(z, len(self.weight), generator)])
        self.counts.fill_(1.0)
        self.sums.copy_(self.weight)

    @torch.no_grad()
    def update(self, z: Tensor, codes: Tensor, generator: torch.Generator) -> None:
        """Takes z (N, D) latents and codes (N,) int64, the entries they were quantised to.

        Dead entries become random ones of the latents. Nothing waits for the device.
        """
        counts = torch.zeros_like(self.counts).index_add_(0, codes, torch.ones_like(z[:, 0]))
        sums = torch.zeros_like(self.sums).index_add_(0, codes, z)
        self.counts.lerp_(counts, 1 - self.decay)
        self.sums.lerp_(sums, 1 - self.decay)
        dead = self.counts < self.dead_below
        fresh = z[_some(z, len(self.weight), generator)]
        self.counts.masked_fill_(dead, 1.0)
        self.sums.copy_(torch.where(dead[:, None], fresh, self.sums))
        self.weight.data.copy_(self.sums / self.counts[:, None])

    def state(self) -> dict[str, Tensor]:
        """What `load_state` goes on from; the entries are the model's."""
        return {"counts": self.counts, "sums": self.sums}

    @torch.no_grad()
    def load_state(self, state: dict[str, Tensor]) -> None:
        """Goes on from what `state` gave."""
        self.counts.copy_(state["counts"])
        self.sums.copy_(state["sums"])


def _some(z: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """`count` random rows of z, as numbers on its device; the generator is the processor's."""
    return torch.randint(len(z), (count,), generator=generator).to(z.device, non_blocking=True)
