"""A start that is an autoencoder already: the projection on the cells' principal components.

A VQ model of one resolution, whose cells of p x p pixels are folded into channels, can begin as two
linear maps: no linear autoencoder of as many latents is better (Baldi & Hornik, "Neural networks
and principal component analysis", Neural Networks 2, 1989). The residual blocks begin as the
identity (their last convolution is zero), and two things carry values through the last
normalisation and activation as they are: silu(a) - silu(-a) = a for a pair of channels, and two
large constants in the group make its deviation the same for every image.

Axes: N cells, C = 3 * p^2 channels of a cell, D latent channels; images in [-1, 1].
"""

import math
from typing import cast

import torch
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn
from torch.nn import functional as F

from models.generator.vqgan import VarianceAwareVQModel

# The constants, in deviations of what passes beside them: what is left of an image's own deviation
# changes its scale by less than a hundredth.
CONSTANT = 16.0


@torch.no_grad()
def start_linear(model: VarianceAwareVQModel, crops: Tensor) -> None:
    """Sets the model up as the best linear autoencoder of the crops (B, 3, H, W), in place.

    Raises:
        ValueError: it has more than one resolution, or its groups cannot carry so many latents.
    """
    if len(model.config.block_out_channels) > 1:
        raise ValueError("a linear start needs a model of one resolution: one number of channels")
    cells = F.pixel_unshuffle(crops, model.config.patch_size).permute(0, 2, 3, 1).flatten(0, 2)
    mean, components = _principal_components(cells, model.config.latent_channels)
    deviations = ((cells - mean) @ components.T).std(dim=0)
    for part in (model.encoder, model.decoder):
        for block in part.modules():
            if isinstance(block, ResnetBlock2D):
                nn.init.zeros_(block.conv2.weight)
                nn.init.zeros_(cast(Tensor, block.conv2.bias))
    normed = components / deviations[:, None]
    _pass_through(model.encoder, normed, -normed @ mean, torch.diag(deviations))
    scaled = components.T * deviations
    _pass_through(model.decoder, torch.diag(1.0 / deviations), torch.zeros(()), scaled, mean)
    for convolution in (model.quant_conv, model.post_quant_conv):
        _set_centre(convolution, torch.eye(model.config.latent_channels), torch.zeros(()))


def _principal_components(cells: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """Mean (C,) and the first components (D, C), orthonormal, of cells (N, C)."""
    mean = cells.mean(dim=0)
    centred = (cells - mean).double()
    _, vectors = torch.linalg.eigh(centred.T @ centred)  # in the order of rising variance
    return mean, vectors.flip(1)[:, :number].T.float().contiguous()


def _pass_through(
    part: nn.Module, into: Tensor, offset: Tensor, out_of: Tensor, mean: Tensor | None = None
) -> None:
    """Makes a coder's output out_of @ (into @ x + offset) + mean in each cell.

    Args:
        part: an encoder or decoder.
        into: (D, inputs), such that each of the D values has a deviation of about 1.
        offset: (D,) or a scalar.
        out_of: (outputs, D).
        mean: (outputs,); None: zero.
    """
    convolution, norm = cast(nn.Conv2d, part.conv_in), cast(nn.GroupNorm, part.conv_norm_out)
    size = norm.num_channels // norm.num_groups
    pairs = size // 2 - 1  # beside the constants
    if pairs < 1 or math.ceil(len(into) / pairs) > norm.num_groups:
        raise ValueError(
            f"{norm.num_groups} groups of {size} channels cannot carry {len(into)} latents"
        )
    weight, bias = convolution.weight, cast(Tensor, convolution.bias)
    last = cast(nn.Conv2d, part.conv_out)
    nn.init.zeros_(last.weight)
    cast(Tensor, last.bias).copy_(torch.zeros(()) if mean is None else mean)
    middle = last.kernel_size[0] // 2
    for group, values in enumerate(torch.arange(len(into)).split(pairs)):
        first = group * size
        weight[first : first + size] = 0.0
        bias[first : first + size] = 0.0
        bias[first], bias[first + 1] = CONSTANT, -CONSTANT
        deviation = math.sqrt(2 * (CONSTANT**2 + len(values)) / size)
        for place, value in enumerate(values.tolist(), start=1):
            for channel, sign in ((first + 2 * place, 1.0), (first + 2 * place + 1, -1.0)):
                weight[channel, :, middle, middle] = sign * into[value]
                bias[channel] = sign * (offset[value] if offset.dim() else offset)
                last.weight[:, channel, middle, middle] = sign * deviation * out_of[:, value]


def _set_centre(convolution: nn.Conv2d, matrix: Tensor, bias: Tensor) -> None:
    """A convolution of the cell alone: matrix (outputs, inputs)."""
    nn.init.zeros_(convolution.weight)
    middle = convolution.kernel_size[0] // 2
    convolution.weight[:, :, middle, middle] = matrix
    cast(Tensor, convolution.bias).copy_(bias)
