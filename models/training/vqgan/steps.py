"""The state of a training run, and one gradient step of it.

The losses: L1 of the pixels and of their gradients, the distance between EfficientNet-Lite0
features, the commitment, and the discriminator's if the recipe has one.
Source: Esser et al., "Taming Transformers", CVPR 2021 (arXiv 2012.09841), section 3.1; L1 of the
gradients and the other network's features are ours.

Axes: B batch, H x W pixels, D latent channels, h x w cells; images in [-1, 1].
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.features.patches import PatchFeatures
from models.generator.vqgan import VarianceAwareVQModel
from models.runtime.precision import reduced_precision
from models.training.vqgan.adversary import Adversary
from models.training.vqgan.average import WeightAverage
from models.training.vqgan.batches import as_input
from models.training.vqgan.codebook import CodebookAverage
from models.training.vqgan.linear_start import start_linear
from models.training.vqgan.recipe import Recipe

COMMITMENT = 0.25
# Pulls the latents to where a codebook will start, as long as there is none.
LATENT_DECAY = 1e-3
BETAS = (0.9, 0.95)


class StepLosses(NamedTuple):
    """Scalars on the device: nobody waits for them unless they are read.

    Attributes:
        loss: what the autoencoder lowers, without the discriminator's part.
        mse: of pixels in [0, 1].
        adversarial_factor: of the discriminator's loss; 0 without it.
    """

    loss: Tensor
    mse: Tensor
    adversarial_factor: Tensor


class Training:
    """Model, codebook average, weight average, discriminator and optimizers of one run.

    Attributes:
        number: steps done.
        adversary: None if the recipe has no discriminator.
        average: holds the model that is measured and delivered.
    """

    def __init__(
        self,
        recipe: Recipe,
        features: PatchFeatures,
        device: torch.device,
        start: VarianceAwareVQModel | None = None,
        crops: Tensor | None = None,
    ):
        """Begins anew, or from the weights of `start`, which the caller hands over.

        `crops` (B, 3, H, W) uint8 are those of the recipe's linear start; None: random weights.
        """
        self.recipe, self.number, self.device = recipe, 0, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            model = start or recipe.new_model()
            if start is None and crops is not None:
                start_linear(model, as_input(crops))
            self.model = model.to(device, memory_format=torch.channels_last).train()
            self.adversary = self._adversary()
        self.model.requires_grad_(True)
        self.model.logvar_head.requires_grad_(False)
        codebook = self.model.quantize.embedding.weight.requires_grad_(False)
        self.codebook, self.has_codebook = CodebookAverage(codebook), start is not None
        self.average = WeightAverage(self.model)
        self.features = features.to(device)
        self.generator = torch.Generator().manual_seed(recipe.seed)
        self.trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            self.trained, lr=recipe.lr, betas=BETAS, weight_decay=1e-4
        )

    def _adversary(self) -> Adversary | None:
        recipe = self.recipe
        if not recipe.adversarial_weight:
            return None
        last = self.model.decoder.conv_out.weight
        weight, lr = recipe.adversarial_weight, recipe.discriminator_lr
        return Adversary(self.device, last, weight=weight, lr=lr)

    def step(self, crops: Tensor) -> StepLosses:
        """One step on crops (B, 3, H, W) uint8."""
        self.number += 1
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate(self.number)
        x = as_input(crops)
        with reduced_precision(self.device):
            z = self.model.posterior(x).mean.float()
        entries, codes = self._quantised(z)
        with reduced_precision(self.device):
            decoded = self.model.decode_latents(entries, quantise=False).float()
            loss = self._reconstruction(x, decoded)
        commitment = (
            LATENT_DECAY * z.square().mean()
            if codes is None
            else COMMITMENT * F.mse_loss(z, entries.detach())
        )
        is_judged = self.adversary and self.number > self.recipe.adversarial_start
        added = factor = torch.zeros_like(loss)
        if self.adversary and is_judged:
            added, factor = self.adversary.loss(loss, decoded)
        self.optimizer.zero_grad(set_to_none=True)
        (loss + commitment + added).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimizer.step()
        if codes is not None:
            self.codebook.update(_flat(z.detach()), codes, self.generator)
        if self.adversary and is_judged:
            self.adversary.step(x, decoded.detach())
        self.average.update(self.model, self.number)
        mse = F.mse_loss(decoded.detach().clamp(-1, 1), x) / 4
        return StepLosses((loss + commitment).detach(), mse, factor)

    def state(self) -> dict[str, Any]:
        """All that the next step depends on, for `load_state`."""
        return {
            "number": self.number,
            "has_codebook": self.has_codebook,
            "model": self.model.state_dict(),
            "average": self.average.model.state_dict(),
            "codebook": self.codebook.state(),
            "optimizer": self.optimizer.state_dict(),
            "adversary": self.adversary and self.adversary.state(),
            "generator": self.generator.get_state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on from what `state` gave, in a run of the same recipe on a device of its type."""
        self.number, self.has_codebook = state["number"], state["has_codebook"]
        self.model.load_state_dict(state["model"])
        self.average.model.load_state_dict(state["average"])
        self.codebook.load_state(state["codebook"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.adversary:
            self.adversary.load_state(state["adversary"])
        self.generator.set_state(state["generator"])

    def _quantised(self, z: Tensor) -> tuple[Tensor, Tensor | None]:
        """Entries with gradients straight through to z (B, D, h, w), and codes (B * h * w,).

        Without codes, z itself: the autoencoder learns alone at first.
        """
        if not self.has_codebook:
            if self.number <= self.recipe.continuous_steps:
                return z, None
            self.codebook.start_from(_flat(z.detach()), self.generator)
            self.has_codebook = True
        codes = self.model.codes(z)
        entries = self.model.quantize.embedding(codes).permute(0, 3, 1, 2)  # (B, D, h, w)
        return z + (entries - z).detach(), codes.flatten()

    def _reconstruction(self, x: Tensor, decoded: Tensor) -> Tensor:
        """L1 + L1 of image gradients + feature_weight * feature distance."""
        loss = (decoded - x).abs().mean()
        for axis in (2, 3):
            loss = loss + (decoded.diff(dim=axis) - x.diff(dim=axis)).abs().mean()
        if self.recipe.feature_weight:
            distance = self.features.distance((x + 1) / 2, (decoded + 1) / 2)
            loss = loss + self.recipe.feature_weight * distance
        return loss


def _flat(z: Tensor) -> Tensor:
    return z.permute(0, 2, 3, 1).reshape(-1, z.shape[1])  # (B * h * w, D)
