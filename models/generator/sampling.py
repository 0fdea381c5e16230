"""Variance-aware image generator: views of good images, varied where good images vary.

I_i (a view) -> E(I_i) = N(mu, sigma^2) -> z = mu + sigma eps -> q(z) -> D(q(z)); Lee & Choi,
CVPR 2024 (arXiv 2403.06247), section 3.2. Two ways to the image: `decode` takes D's output, as
the paper does; `residual` (default) adds to the sharp view only what sigma changes,
I + D(q(z)) - D(q(mu)), so that a small decoder's blur never enters the image.

Axes: B batch, D latent channels, h x w latent cells, H x W pixels; images (B, 3, H, W) in [0, 1].
"""

import copy
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial

import torch
from torch import Tensor
from torch.nn import functional as F

from models.features.patches import PatchFeatures
from models.generator.variance import match_variance
from models.generator.vqgan import NO_EVIDENCE_LOGVAR, LatentDistribution, VarianceAwareVQModel
from models.runtime.device_memory import HalvingBatch

CROP_PX = 128
BATCH_SIZE = 6
DECODER_LEARNING_RATE = 4e-4
HEAD_LEARNING_RATE = 3e-3
HEAD_STEPS = 150
# More images than this bring no new evidence that is worth its time.
MAX_EVIDENCE_IMAGES = 8
FRAME_CELLS = 5
# Width in px of the blur that tells local contrast from slow change.
CONTRAST_WIDTH_PX = 9
# eps is white noise seen through blurs of these widths (cells): grain, texture and slow change.
NOISE_WIDTHS_CELLS = (0.0, 1.0, 3.0)


@dataclass(frozen=True)
class SamplingSettings:
    """How a set is sampled.

    Attributes:
        scale: factor on sigma; 0 reproduces the plain VQGAN.
        output: "residual" or "decode".
        smooth: whether eps is correlated between neighbouring cells.
        unit_sigma: sigma = 1 in every cell in place of the learned one, for comparison.
    """

    scale: float = 2.0
    output: str = "residual"
    smooth: bool = True
    unit_sigma: bool = False


class EncodedViews:
    """Views (B, 3, H, W) in [0, 1], encoded and decoded when first asked for.

    Attributes:
        posterior: of the latents.
        plain: D(q(mu)), (B, 3, H, W), about [-1, 1].
    """

    def __init__(self, model: VarianceAwareVQModel, views: Tensor):
        self.model, self.views = model, views

    @cached_property
    def posterior(self) -> LatentDistribution:  # noqa: D102
        return self.model.posterior(2 * self.views - 1)

    @cached_property
    def plain(self) -> Tensor:  # noqa: D102
        return self.model.decode_latents(self.posterior.mean)


class VarianceAwareGenerator:
    """A VQ model adapted to the good images of one job."""

    def __init__(self, model: VarianceAwareVQModel, features: PatchFeatures):
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.features = features
        self.colour_filter = torch.eye(3)

    def learn_variance(
        self, images: Tensor, same_distance: float, on_step: Callable[[], None] = lambda: None
    ) -> None:
        """Fits the log-variance head to the evidence in the good images (k, 3, H, W) in [0, 1].

        Minimises the Gaussian negative log-likelihood 0.5 (log sigma^2 + s^2 / sigma^2), whose
        minimum is sigma^2 = E[s^2 | encoder features]; s^2 from `match_variance`. `on_step` is
        called after each of HEAD_STEPS steps; it may raise to stop.
        """
        head = self.model.logvar_head
        images = images[:MAX_EVIDENCE_IMAGES]
        with torch.no_grad():
            hidden = torch.cat([self.model.features(2 * x - 1) for x in images.split(1)])
            mean = self.model.quant_conv(self.model.encoder.conv_out(hidden))
            descriptors = torch.cat([self.features.patch_grid(x) for x in images.split(1)])
            shifted = self._shifted_means(images)
            evidence = match_variance(mean, shifted, descriptors, same_distance)
            evidence = _inner(evidence + math.exp(NO_EVIDENCE_LOGVAR))
            hidden = _inner(hidden)
            # From the mean evidence everywhere, the likelihood is well behaved.
            self.model.forget_variance()
            head[-1].bias.copy_(evidence.mean(dim=(0, 2, 3)).log())
        head.requires_grad_(True)
        optimizer = torch.optim.Adam(head.parameters(), lr=HEAD_LEARNING_RATE)
        batch = HalvingBatch(len(hidden))

        def set_gradients(pieces: list[slice]) -> None:
            optimizer.zero_grad(set_to_none=True)
            for piece in pieces:
                logvar = head(hidden[piece])
                loss = 0.5 * (logvar + evidence[piece] / logvar.exp()).mean()
                (len(logvar) / len(hidden) * loss).backward()  # type: ignore[no-untyped-call]

        for _ in range(HEAD_STEPS):
            batch.run(set_gradients, len(hidden))
            optimizer.step()
            on_step()
        head.requires_grad_(False)
        self.colour_filter = colour_filter(images)

    def _shifted_means(self, images: Tensor) -> Tensor:
        """The latents' mean of the images, shifted by up to one and a half cells: (S, k, D, h, w).

        Half a cell is a shift of the pixels, a whole one a roll of the latents.
        """
        half = self.model.downsampling_factor // 2
        height, width = images.shape[-2:]
        padded = F.pad(images, (0, half, 0, half), mode="replicate")
        versions = []
        for down, right in itertools.product((0, half), repeat=2):
            shifted = padded[..., down : down + height, right : right + width]
            mean = torch.cat([self.model.posterior(2 * x - 1).mean for x in shifted.split(1)])
            versions += [mean.roll(r, (2, 3)) for r in itertools.product((-1, 0, 1), repeat=2)]
        return torch.stack(versions)

    def sigma(self, posterior: LatentDistribution) -> Tensor:
        """The posterior's sigma, (B, D, h, w), with the frame's cells taken from just inside.

        The encoder's zero padding makes the cells along the frame look like nothing it knows.
        """
        inner = _inner(posterior.std)
        return F.pad(inner, (FRAME_CELLS,) * 4, mode="replicate")

    def decoder_parameters(self) -> list[torch.nn.Parameter]:
        """What adaptation and text guidance change: the decoder and the layer before it."""
        return [*self.model.decoder.parameters(), *self.model.post_quant_conv.parameters()]

    def decoder_state(self) -> list[Tensor]:
        """A copy of the decoder's parameters."""
        return [p.detach().clone() for p in self.decoder_parameters()]

    @torch.no_grad()
    def load_decoder_state(self, state: list[Tensor]) -> None:
        """Sets the decoder back to a copy that `decoder_state` made."""
        for parameter, value in zip(self.decoder_parameters(), state, strict=True):
            parameter.copy_(value)

    def adapt(self, views: Tensor, steps: int, *, seed: int) -> Iterator[float]:
        """Fits the decoder to the views (N, 3, H, W) in [0, 1]; yields the L1 loss of each step.

        The encoder and the codebook stay, so that codes mean what they meant. Crops of CROP_PX
        keep a step's cost independent of the image size.
        """
        if not steps:
            return
        trained = self.decoder_parameters()
        for parameter in trained:
            parameter.requires_grad_(True)
        optimizer = torch.optim.Adam(trained, lr=DECODER_LEARNING_RATE, betas=(0.9, 0.95))
        generator = torch.Generator().manual_seed(seed)
        batch = HalvingBatch(BATCH_SIZE)
        with torch.no_grad():
            quantised = torch.cat(
                [self.model.quantise(self.model.posterior(2 * x - 1).mean) for x in views.split(1)]
            )
        for step in range(steps):
            targets, latents = self._crops(views, quantised, generator)
            for group in optimizer.param_groups:
                group["lr"] = DECODER_LEARNING_RATE * min(1.0, 2.0 * (1 - step / steps))
            step_loss = batch.run(partial(self._set_gradients, targets, latents), BATCH_SIZE)
            optimizer.step()
            yield step_loss
        for parameter in trained:
            parameter.requires_grad_(False)

    def _set_gradients(self, targets: Tensor, latents: Tensor, pieces: list[slice]) -> float:
        """Sets the gradients of the mean loss over the crops; returns their mean L1 distance."""
        for parameter in self.decoder_parameters():
            parameter.grad = None
        distance = 0.0
        for piece in pieces:
            wanted = targets[piece]
            decoded = (self.model.decode_latents(latents[piece], quantise=False) + 1) / 2
            loss = (decoded - wanted).abs().mean()
            for axis in (2, 3):
                loss = loss + (decoded.diff(dim=axis) - wanted.diff(dim=axis)).abs().mean()
            share = len(wanted) / len(targets)
            (share * loss).backward()  # type: ignore[no-untyped-call]
            distance += share * float((decoded - wanted).detach().abs().mean())
        return distance

    def _crops(
        self, views: Tensor, latents: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """BATCH_SIZE random crops of the views and the latents that belong to them."""
        factor = self.model.downsampling_factor
        side = min(CROP_PX // factor, *latents.shape[-2:])
        targets, cells = [], []
        for _ in range(BATCH_SIZE):
            index = int(torch.randint(len(views), (), generator=generator))
            top = int(torch.randint(latents.shape[-2] - side + 1, (), generator=generator))
            left = int(torch.randint(latents.shape[-1] - side + 1, (), generator=generator))
            cells.append(latents[index, :, top : top + side, left : left + side])
            top, left, px = top * factor, left * factor, side * factor
            targets.append(views[index, :, top : top + px, left : left + px])
        return torch.stack(targets), torch.stack(cells)

    def encode(self, views: Tensor) -> EncodedViews:
        """What every image made of these views (B, 3, H, W) in [0, 1] starts from."""
        return EncodedViews(self.model, views)

    def vary(self, encoded: EncodedViews, seeds: list[int], settings: SamplingSettings) -> Tensor:
        """One image I+ for each view and its seed: (B, 3, H, W) in [0, 1], as the views."""
        views, is_residual = encoded.views, settings.output == "residual"
        if not settings.scale:
            return views if is_residual else ((encoded.plain + 1) / 2).clamp(0.0, 1.0)
        posterior = encoded.posterior
        shape = posterior.mean.shape[1:]
        eps = torch.stack([noise(shape, seed, smooth=settings.smooth) for seed in seeds])
        ones = torch.ones_like(posterior.std)
        sigma = ones if settings.unit_sigma else self.sigma(posterior)
        decoded = self.model.decode_latents(posterior.mean + settings.scale * sigma * eps.to(views))
        if is_residual:
            change = decoded - encoded.plain
            change = torch.einsum("ij,bjhw->bihw", self.colour_filter.to(views), change)
            return (views + change / 2).clamp(0.0, 1.0)
        return ((decoded + 1) / 2).clamp(0.0, 1.0)

    def sample(self, views: Tensor, seeds: list[int], settings: SamplingSettings) -> Tensor:
        """`encode` and `vary` in one; differentiable in the decoder's parameters."""
        return self.vary(self.encode(views), seeds, settings)

    @torch.no_grad()
    def reconstruction_psnr_db(self, views: Tensor) -> float:
        """PSNR of D(q(mu)) against the views (N, 3, H, W) in [0, 1], in dB, over all of them."""
        errors = [
            ((self.model.decode_latents(self.model.posterior(2 * x - 1).mean) + 1) / 2).clamp(0, 1)
            - x
            for x in views.split(1)
        ]
        return float(-10 * torch.cat(errors).square().mean().log10())

    @torch.no_grad()
    def sigma_map(self, images: Tensor) -> Tensor:
        """Sigma at pixel size, mean over channels: (k, H, W), for images (k, 3, H, W)."""
        std = torch.cat([self.sigma(self.model.posterior(2 * x - 1)) for x in images.split(1)])
        size = list(images.shape[-2:])
        return F.interpolate(std.mean(1, keepdim=True), size, mode="bilinear")[:, 0]


def colour_filter(images: Tensor) -> Tensor:
    """Keeps a change within the colours in which good images (k, 3, H, W) vary: (3, 3), symmetric.

    U diag(sqrt(lambda / lambda_max)) U^T of the covariance of local contrast, U diag(lambda) U^T: a
    grey image stays grey, a brown part varies along its browns.
    """
    slow = F.avg_pool2d(images, CONTRAST_WIDTH_PX, 1, CONTRAST_WIDTH_PX // 2)
    contrast = (images - slow).permute(1, 0, 2, 3).flatten(1)  # (3, k * H * W)
    values, vectors = torch.linalg.eigh(contrast @ contrast.T / contrast.shape[1] + 1e-9)
    strength = (values.clamp_min(0.0) / values.max().clamp_min(1e-12)).sqrt()
    return vectors @ torch.diag(strength) @ vectors.T


def noise(shape: torch.Size, seed: int, *, smooth: bool = True) -> Tensor:
    """Draws eps ~ N(0, 1) of `shape` (D, h, w), the same for the same seed on every device.

    With `smooth`, an equal mix of white noise and of its blurs by NOISE_WIDTHS_CELLS, each brought
    back to unit variance: the marginal stays N(0, 1), neighbouring cells move together.
    """
    generator = torch.Generator().manual_seed(seed)
    if not smooth:
        return torch.randn(shape, generator=generator)
    total = torch.zeros(shape)
    for width in NOISE_WIDTHS_CELLS:
        layer = torch.randn(shape, generator=generator)
        if width:
            layer = _blur(layer, width)
        total += layer
    return total / len(NOISE_WIDTHS_CELLS) ** 0.5


def _inner(grid: Tensor) -> Tensor:
    """The grid (B, C, h, w) without its FRAME_CELLS outermost cells on each side."""
    return grid[..., FRAME_CELLS:-FRAME_CELLS, FRAME_CELLS:-FRAME_CELLS]


def _blur(layer: Tensor, width: float) -> Tensor:
    """Gaussian blur of (D, h, w) with standard deviation `width` cells, unit variance kept."""
    radius = round(3 * width)
    taps = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / width) ** 2)
    taps = taps / taps.square().sum().sqrt()  # white noise of unit variance stays so
    padded = F.pad(
        layer[:, None],
        (radius,) * 4,
        mode="circular" if min(layer.shape[1:]) > radius else "replicate",
    )
    return F.conv2d(F.conv2d(padded, taps.view(1, 1, 1, -1)), taps.view(1, 1, -1, 1))[:, 0]
