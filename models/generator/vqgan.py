"""Variance-aware VQGAN: a VQ autoencoder whose encoder also predicts the latents' variance.

Source: Lee & Choi, "Text-Guided Variational Image Generation for Industrial Anomaly Detection and
Segmentation", CVPR 2024 (arXiv 2403.06247), section 4.1.2; Esser et al., "Taming Transformers",
CVPR 2021 (arXiv 2012.09841) for the VQGAN.

Axes: B batch, C image channels (3), H x W pixels, D latent channels, h x w latent cells
(h = H / downsampling_factor).
"""

import math
from contextlib import nullcontext
from pathlib import Path
from typing import cast

import torch
from diffusers import VQModel
from diffusers.configuration_utils import register_to_config
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional as F

from models.catalog import embedded
from models.features.nearest import nearest_indices
from models.generator.latents import LOGVAR_RANGE, NO_EVIDENCE_LOGVAR, LatentDistribution
from models.runtime.hub import cached_or_fetched
from models.runtime.precision import reduced_precision

EMBEDDED_VQGAN = embedded.WEIGHTS / "vqgan"


class VarianceAwareVQModel(VQModel):
    """diffusers' `VQModel` with a head for log sigma^2, loading any saved `VQModel`.

    Images go in and come out as (B, 3, H, W) float in [-1, 1], diffusers' convention; H and W must
    be multiples of `downsampling_factor`. `patch_size` p > 1 folds p x p pixels into channels
    before the first convolution (space-to-depth) and unfolds them after the last one, which spares
    the costly full-resolution layers; the inner model then has 3 * p^2 channels.

    Attributes:
        is_reduced: D computes in bfloat16 where the device is fast in it: pixels within about a
            tenth of a grey level, less than 8 bits hide.
    """

    is_reduced = False

    @register_to_config
    def __init__(  # noqa: PLR0917
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        down_block_types: tuple[str, ...] = ("DownEncoderBlock2D",),
        up_block_types: tuple[str, ...] = ("UpDecoderBlock2D",),
        block_out_channels: tuple[int, ...] = (64,),
        layers_per_block: int = 1,
        act_fn: str = "silu",
        latent_channels: int = 3,
        sample_size: int = 32,
        num_vq_embeddings: int = 256,
        norm_num_groups: int = 32,
        vq_embed_dim: int | None = None,
        scaling_factor: float = 0.18215,
        norm_type: str = "group",
        mid_block_add_attention: bool = True,
        lookup_from_codebook: bool = False,
        force_upcast: bool = False,
        patch_size: int = 1,  # noqa: ARG002
    ):
        super().__init__(
            in_channels=in_channels,
            out_channels=out_channels,
            down_block_types=down_block_types,
            up_block_types=up_block_types,
            block_out_channels=block_out_channels,
            layers_per_block=layers_per_block,
            act_fn=act_fn,
            latent_channels=latent_channels,
            sample_size=sample_size,
            num_vq_embeddings=num_vq_embeddings,
            norm_num_groups=norm_num_groups,
            vq_embed_dim=vq_embed_dim,
            scaling_factor=scaling_factor,
            norm_type=norm_type,
            mid_block_add_attention=mid_block_add_attention,
            lookup_from_codebook=lookup_from_codebook,
            force_upcast=force_upcast,
        )
        # diffusers' default puts beta on the codebook term; the VQ-VAE's beta weighs the
        # commitment.
        self.quantize.legacy = False
        hidden = block_out_channels[-1]
        self.logvar_head = nn.Sequential(
            nn.Conv2d(hidden, hidden, 1),
            nn.SiLU(),
            nn.Conv2d(hidden, vq_embed_dim or latent_channels, 1),
        )
        self.forget_variance()

    @property
    def downsampling_factor(self) -> int:
        """Pixels along one side of a latent cell."""
        return int(self.config.patch_size * 2 ** (len(self.config.block_out_channels) - 1))

    @property
    def padding_reach_cells(self) -> int:
        """Cells along the edge that know too much of the encoder's zero padding, >= 1.

        Half of what its convolutions reach in all: the outer half of a receptive field hardly
        counts (Luo et al., NeurIPS 2016, arXiv 1701.04128).
        """
        scale, reach_px = int(self.config.patch_size), 0
        for layer in self.encoder.modules():  # in the order of the flow
            if isinstance(layer, nn.Conv2d):
                reach_px += layer.kernel_size[0] // 2 * scale
                scale *= layer.stride[0]
        return math.ceil(reach_px / 2 / self.downsampling_factor)

    @torch.no_grad()
    def forget_variance(self) -> None:
        """Sets the log-variance head back to no evidence, the same way every time."""
        generator = torch.Generator().manual_seed(0)
        for parameter in self.logvar_head.parameters():
            values = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(values / math.sqrt(parameter[0].numel()))
        output = cast(nn.Conv2d, self.logvar_head[-1])
        output.weight.zero_()
        cast(Tensor, output.bias).fill_(NO_EVIDENCE_LOGVAR)

    def features(self, x: Tensor) -> Tensor:
        """The encoder's last hidden layer, (B, block_out_channels[-1], h, w), of x (B, 3, H, W)."""
        hidden = self.encoder.conv_in(F.pixel_unshuffle(x, self.config.patch_size))
        for block in self.encoder.down_blocks:
            hidden = block(hidden)
        hidden = self.encoder.mid_block(hidden)
        return cast(Tensor, self.encoder.conv_act(self.encoder.conv_norm_out(hidden)))

    def posterior(self, x: Tensor) -> LatentDistribution:
        """E(I): mean and log-variance of the latents for x (B, 3, H, W) in [-1, 1].

        Raises:
            ValueError: H or W is no multiple of `downsampling_factor`.
        """
        factor = self.downsampling_factor
        if x.shape[-2] % factor or x.shape[-1] % factor:
            raise ValueError(f"image of {tuple(x.shape[-2:])} px is no multiple of {factor} px")
        hidden = self.features(x)
        mean = self.quant_conv(self.encoder.conv_out(hidden))
        return LatentDistribution(mean, self.logvar_head(hidden).clamp(*LOGVAR_RANGE))

    def quantise(self, z: Tensor) -> Tensor:
        """The nearest codebook entries, (B, D, h, w); gradients pass straight through to z."""
        entries = self.quantize.embedding(self.codes(z)).permute(0, 3, 1, 2)
        return cast(Tensor, z + (entries - z).detach() if z.requires_grad else entries)

    def codes(self, z: Tensor) -> Tensor:
        """Indices of the nearest codebook entries, (B, h, w) int64, for latents z (B, D, h, w)."""
        flat = z.detach().permute(0, 2, 3, 1).reshape(-1, z.shape[1])  # (B * h * w, D)
        nearest = nearest_indices(flat.float(), self.quantize.embedding.weight.detach().float())
        return nearest.reshape(z.shape[0], z.shape[2], z.shape[3])

    def decode_latents(self, z: Tensor, *, quantise: bool = True) -> Tensor:
        """D(q(z)): images (B, 3, H, W), about [-1, 1] and unclamped, of latents z (B, D, h, w).

        Of z = mu it is the plain VQGAN's reconstruction. Without `quantise`, D(z).
        """
        entries = self.quantise(z) if quantise else z
        spatial = entries if self.config.norm_type == "spatial" else None
        with reduced_precision(z.device) if self.is_reduced else nullcontext():
            sample = self.decoder(self.post_quant_conv(entries), spatial).float()
        return F.pixel_shuffle(sample, self.config.patch_size)

    def decoder_parameters(self) -> list[nn.Parameter]:
        """What adaptation and text guidance change: the decoder and the layer before it."""
        return [*self.decoder.parameters(), *self.post_quant_conv.parameters()]


def load_vqgan(source: str | Path) -> VarianceAwareVQModel:
    """Loads a VQ model from a folder, or from a model hub as `owner/name[:subfolder]`.

    A plain `VQModel` is taken as it is; its log-variance head starts without evidence.

    Raises:
        RuntimeError: nothing loadable at `source`; the message names it and the cause.
    """
    if Path(source).exists():
        return _from_pretrained(str(source), "", local_files_only=True)
    name, _, subfolder = str(source).partition(":")
    return cached_or_fetched(
        str(source), lambda local: _from_pretrained(name, subfolder, local_files_only=local)
    )


def _from_pretrained(name: str, subfolder: str, *, local_files_only: bool) -> VarianceAwareVQModel:
    try:
        model, loaded = VarianceAwareVQModel.from_pretrained(
            name,
            subfolder=subfolder or None,
            use_safetensors=True,
            low_cpu_mem_usage=False,
            output_loading_info=True,
            local_files_only=local_files_only,
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise RuntimeError(f"no VQ model can be loaded from {name} {subfolder}: {error}") from error
    if any(key.startswith("logvar_head") for key in loaded["missing_keys"]):
        model.forget_variance()
    return model.eval()
