"""Variance-aware image generator: views of good images, varied where good images vary.

I_i (a view) -> E(I_i) = N(mu, sigma^2) -> z = mu + sigma * eps -> q(z) -> D(q(z)). Source: Lee &
Choi, CVPR 2024 (arXiv 2403.06247), section 4.1.2. Two ways to the image: `decode` takes D's output,
as the paper does; `residual` (default) adds to the sharp view only what sigma changes,
I + D(q(z)) - D(q(mu)), so that a small decoder's blur never enters the image.

Axes: B batch, D latent channels, h x w latent cells, H x W pixels; images (B, 3, H, W) in [0, 1].
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from models.features.patches import PatchFeatures
from models.generator.colour import colour_filter
from models.generator.frame import with_frame_from_inside
from models.generator.latents import LatentDistribution
from models.generator.noise import noise
from models.generator.variance import learn_variance

if TYPE_CHECKING:
    # diffusers, which a job that varies no image does without.
    from models.generator.vqgan import VarianceAwareVQModel

# More images than this bring no new evidence that is worth its time.
MAX_EVIDENCE_IMAGES = 8


@dataclass(frozen=True)
class SamplingSettings:
    """How a set is sampled.

    Attributes:
        scale: factor on sigma, 1 in the paper; 0 reproduces the plain VQGAN.
        output: "residual" or "decode".
        smooth: whether eps is correlated between neighbouring cells.
        unit_sigma: sigma = 1 in every cell in place of the learned one, for comparison; `scale`
            multiplies it too.
    """

    scale: float = 2.0
    output: str = "residual"
    smooth: bool = True
    unit_sigma: bool = False


class EncodedViews:
    """Views (B, 3, H, W) in [0, 1], encoded and decoded when first asked for.

    Attributes:
        posterior: E(I) = N(mu, sigma^2), of the latents.
        plain: D(q(mu)), (B, 3, H, W), about [-1, 1].
    """

    def __init__(self, model: "VarianceAwareVQModel", views: Tensor):
        self.model, self.views = model, views

    @cached_property
    def posterior(self) -> LatentDistribution:  # noqa: D102
        return self.model.posterior(2 * self.views - 1)

    def some(self, places: list[int]) -> "EncodedViews":
        """Those at these places of the batch, with what is known of them."""
        kept = EncodedViews(self.model, self.views[places])
        if "posterior" in self.__dict__:
            kept.posterior = LatentDistribution(*(part[places] for part in self.posterior))
        if "plain" in self.__dict__:
            kept.plain = self.plain[places]
        return kept

    @cached_property
    def plain(self) -> Tensor:  # noqa: D102
        return self.model.decode_latents(self.posterior.mean)


class VarianceAwareGenerator:
    """A copy of a VQ model that learns from the good images of one job and varies their views.

    Attributes:
        model: the copy; adaptation and text guidance change its decoder.
        colour_filter: (3, 3), the colours that a change may have; all of them until `learn`.
    """

    def __init__(self, model: "VarianceAwareVQModel"):
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model.is_reduced = True
        self.colour_filter = torch.eye(3)

    def learn(
        self,
        images: Tensor,
        features: PatchFeatures,
        same_distance: float,
        on_step: Callable[[], None] = lambda: None,
        on_piece: Callable[[], None] = lambda: None,
    ) -> None:
        """Learns from the good images (k, 3, H, W) in [0, 1] how they vary: sigma and the colours.

        `same_distance`, `on_step` and `on_piece` are those of `learn_variance`.
        """
        images = images[:MAX_EVIDENCE_IMAGES]
        learn_variance(
            self.model, images, features, same_distance, on_step=on_step, on_piece=on_piece
        )
        self.colour_filter = colour_filter(images)

    def sigma(self, posterior: LatentDistribution) -> Tensor:
        """The posterior's sigma, (B, D, h, w), with the frame's cells taken from just inside.

        The encoder's zero padding makes the cells along the frame look like nothing it knows.
        """
        return with_frame_from_inside(posterior.std, self.model.padding_reach_cells)

    def draw_latents(
        self, posterior: LatentDistribution, seeds: list[int], settings: SamplingSettings
    ) -> Tensor:
        """Draws z = mu + scale * sigma * eps, (B, D, h, w); one seed for each image's eps."""
        mu = posterior.mean
        sigma = torch.ones_like(mu) if settings.unit_sigma else self.sigma(posterior)
        eps = torch.stack([noise(mu.shape[1:], seed, smooth=settings.smooth) for seed in seeds])
        return mu + settings.scale * sigma * eps.to(mu)

    def encode(self, views: Tensor) -> EncodedViews:
        """What every image made of these views (B, 3, H, W) in [0, 1] starts from."""
        return EncodedViews(self.model, views)

    def vary(self, encoded: EncodedViews, seeds: list[int], settings: SamplingSettings) -> Tensor:
        """One image I+ for each view and its seed: (B, 3, H, W) in [0, 1], as the views."""
        views, is_residual = encoded.views, settings.output == "residual"
        if not settings.scale:
            return views if is_residual else ((encoded.plain + 1) / 2).clamp(0.0, 1.0)
        z = self.draw_latents(encoded.posterior, seeds, settings)
        decoded = self.model.decode_latents(z)  # D(q(z))
        if is_residual:
            change = self.in_colours(decoded - encoded.plain)
            return (views + change / 2).clamp(0.0, 1.0)
        return ((decoded + 1) / 2).clamp(0.0, 1.0)

    def in_colours(self, change: Tensor) -> Tensor:
        """What of a change of images (B, 3, H, W) keeps within the colours in which they vary."""
        return torch.einsum("ij,bjhw->bihw", self.colour_filter.to(change), change)

    def sample(self, views: Tensor, seeds: list[int], settings: SamplingSettings) -> Tensor:
        """`encode` and `vary` in one; differentiable in the decoder's parameters."""
        return self.vary(self.encode(views), seeds, settings)

    @torch.no_grad()
    def sigma_map(self, images: Tensor) -> Tensor:
        """Sigma at pixel size, mean over channels: (k, H, W), for images (k, 3, H, W)."""
        std = torch.cat([self.sigma(self.model.posterior(2 * x - 1)) for x in images.split(1)])
        size = list(images.shape[-2:])
        return F.interpolate(std.mean(1, keepdim=True), size, mode="bilinear")[:, 0]

    def decoder_state(self) -> list[Tensor]:
        """A copy of the decoder's parameters."""
        return [p.detach().clone() for p in self.model.decoder_parameters()]

    @torch.no_grad()
    def load_decoder_state(self, state: list[Tensor]) -> None:
        """Sets the decoder back to a copy that `decoder_state` made."""
        for parameter, value in zip(self.model.decoder_parameters(), state, strict=True):
            parameter.copy_(value)
