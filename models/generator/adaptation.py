"""Adapts the decoder D to the views of one job's images: what it draws then looks like them.

The encoder and the codebook stay, so that codes mean what they meant. The views are the augmented
inputs I_1..I_N of Lee & Choi, CVPR 2024 (arXiv 2403.06247), section 4.1.2.

Axes: B crops of a step, N views, D latent channels, h x w latent cells, H x W pixels; images in
[0, 1].
"""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from models.runtime.device_memory import HalvingBatch

if TYPE_CHECKING:
    # diffusers, which a job that varies no image does without.
    from models.generator.vqgan import VarianceAwareVQModel

# Crops of this size keep a step's cost independent of the image size.
CROP_PX = 128
BATCH_SIZE = 6
LEARNING_RATE = 4e-4


def adapt(
    model: "VarianceAwareVQModel", views: Tensor, steps: int, *, seed: int
) -> Iterator[Tensor]:
    """Fits the model's decoder, in place; yields the mean L1 distance of each step's crops.

    It is a scalar on the device, which nobody waits for unless it is read.

    Args:
        model: its encoder and codebook stay as they are.
        views: I_1..I_N, (N, 3, H, W) in [0, 1].
        steps: gradient steps; 0 leaves the decoder as it is.
        seed: decides the crops.
    """
    if not steps:
        return
    trained = model.decoder_parameters()
    for parameter in trained:
        parameter.requires_grad_(True)
    optimizer = torch.optim.Adam(trained, lr=LEARNING_RATE, betas=(0.9, 0.95))
    generator = torch.Generator().manual_seed(seed)
    batch = HalvingBatch(BATCH_SIZE)
    with torch.no_grad():
        quantised = torch.cat(
            [model.quantise(model.posterior(2 * x - 1).mean) for x in views.split(1)]
        )
    for step in range(steps):
        targets, latents = _crops(views, quantised, model.downsampling_factor, generator)
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * min(1.0, 2.0 * (1 - step / steps))
        distance = batch.run(partial(_set_gradients, model, targets, latents), BATCH_SIZE)
        optimizer.step()
        yield distance
    for parameter in trained:
        parameter.requires_grad_(False)


def _set_gradients(
    model: "VarianceAwareVQModel", targets: Tensor, latents: Tensor, pieces: list[slice]
) -> Tensor:
    """Sets the gradients of the mean loss over the crops; returns their mean L1 distance.

    The loss is the L1 distance of D(q(mu)) to the crops, of the pixels and of their differences to
    the next pixel on both axes.
    """
    for parameter in model.decoder_parameters():
        parameter.grad = None
    distance = torch.zeros((), device=targets.device)
    for piece in pieces:
        wanted = targets[piece]
        decoded = (model.decode_latents(latents[piece], quantise=False) + 1) / 2
        loss = (decoded - wanted).abs().mean()
        for axis in (2, 3):
            loss = loss + (decoded.diff(dim=axis) - wanted.diff(dim=axis)).abs().mean()
        share = len(wanted) / len(targets)
        (share * loss).backward()  # type: ignore[no-untyped-call]
        distance += share * (decoded - wanted).detach().abs().mean()
    return distance


def _crops(
    views: Tensor, latents: Tensor, factor: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Random crops of the views and the latents (N, D, h, w) that belong to them.

    (B, 3, CROP_PX, CROP_PX) and (B, D, CROP_PX / factor, CROP_PX / factor), a side as long as the
    views' at most; `factor` is the model's downsampling factor, B is BATCH_SIZE.
    """
    height, width = (min(CROP_PX // factor, side) for side in latents.shape[-2:])
    targets, cells = [], []
    for _ in range(BATCH_SIZE):
        index = int(torch.randint(len(views), (), generator=generator))
        top = int(torch.randint(latents.shape[-2] - height + 1, (), generator=generator))
        left = int(torch.randint(latents.shape[-1] - width + 1, (), generator=generator))
        rows, columns = slice(top, top + height), slice(left, left + width)
        cells.append(latents[index, :, rows, columns])
        rows, columns = (slice(s.start * factor, s.stop * factor) for s in (rows, columns))
        targets.append(views[index, :, rows, columns])
    return torch.stack(targets), torch.stack(cells)


@torch.no_grad()
def reconstruction_psnr_db(model: "VarianceAwareVQModel", views: Tensor) -> float:
    """PSNR of D(q(mu)) against the views (N, 3, H, W) in [0, 1], in dB, over all of them."""
    errors = [
        ((model.decode_latents(model.posterior(2 * x - 1).mean) + 1) / 2).clamp(0, 1) - x
        for x in views.split(1)
    ]
    return float(-10 * torch.cat(errors).square().mean().log10())
