"""The patch discriminator of VQGAN: tells patches of reconstructions from those of photographs.

Source: Esser et al., "Taming Transformers", CVPR 2021 (arXiv 2012.09841), section 3.1, equations
5 to 7, its code for the hinge loss; Isola et al., CVPR 2017 (arXiv 1611.07004), for the patches.

Axes: B batch, H x W pixels, h x w patches; images in [-1, 1].
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# delta of equation 7, and the largest lambda that the code allows.
DELTA, MAX_WEIGHT = 1e-4, 1e4


class PatchDiscriminator(nn.Sequential):
    """Logits (B, 1, h, w) of images (B, 3, H, W): high where a patch looks like a photograph's."""

    def __init__(self, channels: int = 64, num_layers: int = 3):
        layers: list[nn.Module] = [nn.Conv2d(3, channels, 4, 2, 1), nn.LeakyReLU(0.2)]
        for number in range(1, num_layers + 1):
            into = channels * min(2 ** (number - 1), 8)
            out = channels * min(2**number, 8)
            stride = 2 if number < num_layers else 1
            layers += [
                nn.Conv2d(into, out, 4, stride, 1, bias=False),
                nn.BatchNorm2d(out),
                nn.LeakyReLU(0.2),
            ]
        super().__init__(*layers, nn.Conv2d(out, 1, 4, 1, 1))
        for module in self:
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0.0, 0.02)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1.0, 0.02)


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Hinge loss of the logits of photographs and of reconstructions, a scalar >= 0."""
    return (F.relu(1.0 - real).mean() + F.relu(1.0 + fake).mean()) / 2


def generator_loss(fake: Tensor) -> Tensor:
    """What the decoder lowers to look like photographs: less the mean of the logits."""
    return -fake.mean()


def adaptive_weight(reconstruction: Tensor, adversarial: Tensor, last: nn.Parameter) -> Tensor:
    """lambda: makes the adversarial loss's gradient at the last layer as long as the other's.

    Equation 7: |grad L_rec| / (|grad L_GAN| + delta), without a gradient of its own.
    """
    (rec,) = torch.autograd.grad(reconstruction, last, retain_graph=True)
    (gan,) = torch.autograd.grad(adversarial, last, retain_graph=True)
    return (rec.norm() / (gan.norm() + DELTA)).clamp(0.0, MAX_WEIGHT).detach()
