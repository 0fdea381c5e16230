"""The least that an image can cost: one bare decode of its latents."""

from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.speed.measuring import Clock, measured
from models.generator.vqgan import VarianceAwareVQModel
from models.job.models import Models

BATCHES = (1, 4, 16)
CUDA_BATCHES = (16, 64, 256)
# A batch has no more pixels than this, or one image: what a decoder's layers hold goes with them.
MOST_PIXELS, CUDA_MOST_PIXELS = 2**22, 2**24
# Each batch size decodes so many images at least, the best of so many turns.
LEAST_IMAGES, NUM_TURNS = 4, 2


@dataclass(frozen=True)
class Floor:
    """Seconds that a bare decode takes an image, at the batch and arithmetic that took least."""

    image_s: float
    batch: int
    precision: str


def measure_floor(models: Models, side_px: int, *, clock: Clock) -> Floor:
    """The best of some batches, in single precision and in bfloat16, on a GPU by cuDNN too.

    Batch sizes take turns, so that whatever else the machine does meets all of them.
    """
    on_cuda = models.device.type == "cuda"
    most = max(1, (CUDA_MOST_PIXELS if on_cuda else MOST_PIXELS) // side_px**2)
    batches = sorted({min(most, batch) for batch in (CUDA_BATCHES if on_cuda else BATCHES)})
    cells = side_px // models.vqgan.downsampling_factor
    channels = int(models.vqgan.config.latent_channels)
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(max(batches), channels, cells, cells, generator=generator)
    latents = latents.to(models.device)
    floors = []
    for _ in range(NUM_TURNS):
        for batch in batches:
            floors += [
                Floor(
                    _decode_s(models.vqgan, latents[:batch], precision, is_cudnn, clock=clock),
                    batch,
                    str(precision).removeprefix("torch.") + (", cuDNN" if is_cudnn else ""),
                )
                for precision in (torch.float32, torch.bfloat16)
                for is_cudnn in ((False, True) if on_cuda else (False,))
            ]
    return min(floors, key=lambda floor: floor.image_s)


@torch.inference_mode()
def _decode_s(
    model: VarianceAwareVQModel,
    latents: Tensor,
    precision: torch.dtype,
    is_cudnn: bool,
    *,
    clock: Clock,
) -> float:
    """Seconds an image, once all shapes are planned."""
    turns = max(1, LEAST_IMAGES // len(latents))
    is_full = precision == torch.float32
    device = latents.device
    convolve = torch.backends.cudnn.flags(enabled=is_cudnn)
    with convolve, nullcontext() if is_full else torch.autocast(device.type, dtype=precision):
        model.decode_latents(latents)
        with measured(device, clock) as cost:
            for _ in range(turns):
                model.decode_latents(latents)
    return cost.seconds / turns / len(latents)
