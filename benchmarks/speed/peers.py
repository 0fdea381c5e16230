"""What others would take for an image, with the same input and, where they have any, our models."""

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from benchmarks.speed.jobs import JobSize, request_of
from benchmarks.speed.measuring import Clock, measured
from models.evaluation.rows.moved import augment
from models.evaluation.rows.plain import RowInput
from models.job.models import Models
from models.views.view import to_tensor

# VQGAN-CLIP as modestly as it is run: steps of Adam, and cut-outs that each step looks at.
VQGAN_CLIP_STEPS, NUM_CUTOUTS, LEARNING_RATE = 200, 8, 0.1
LEAST_CUTOUT_SHARE = 0.5


def augmentation_s(size: JobSize, *, clock: Clock, num_measured: int = 16) -> float:
    """Seconds that plain augmentation takes an image; on the CPU, as loaders do it."""
    request = request_of(size)
    images: list[Image.Image] = list(request.images)[:1]
    data = RowInput(
        images=images,
        object_name=request.object_name,
        seed=0,
        train=(),
        num_images=num_measured,
        image_size=size.side_px,
    )
    with measured(torch.device("cpu"), clock) as cost:
        augment(data)
    return cost.seconds / num_measured


def vqgan_clip_s(models: Models, size: JobSize, *, num_measured: int, clock: Clock) -> float:
    """Seconds that VQGAN-CLIP takes an image: some of its steps, multiplied.

    From the real image's latents, Adam moves the latents towards the prompt by the cosine of many
    cut-outs. Source: Crowson et al., "VQGAN-CLIP", ECCV 2022 (arXiv 2204.08583), section 2.
    """
    request = request_of(size)
    x = to_tensor(request.images[0], (size.side_px, size.side_px))[None].to(models.device)
    with torch.no_grad():
        latents = models.vqgan.posterior(2 * x - 1).mean
        text = models.encoder.embed_text([f"A flawless {request.object_name}"])[0]
    latents = latents.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([latents], lr=LEARNING_RATE)
    generator = torch.Generator().manual_seed(0)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        image = (models.vqgan.decode_latents(latents) + 1) / 2
        seen = models.encoder.embed_image(_cutouts(image, generator))
        (1 - seen @ text).mean().backward()
        optimizer.step()

    step()
    with measured(models.device, clock) as cost:
        for _ in range(num_measured):
            step()
    return cost.seconds / num_measured * VQGAN_CLIP_STEPS


def _cutouts(image: Tensor, generator: torch.Generator) -> Tensor:
    """Random squares of the image (1, 3, H, W), each seen at 224 px, (NUM_CUTOUTS, 3, 224, 224)."""
    shortest = min(image.shape[-2:])
    cutouts = []
    for _ in range(NUM_CUTOUTS):
        share = LEAST_CUTOUT_SHARE + (1 - LEAST_CUTOUT_SHARE) * float(
            torch.rand((), generator=generator)
        )
        side = int(share * shortest)
        top, left = (
            int(torch.randint(length - side + 1, (), generator=generator))
            for length in image.shape[-2:]
        )
        cut = image[..., top : top + side, left : left + side]
        cutouts.append(F.interpolate(cut, (224, 224), mode="bilinear", align_corners=False))
    return torch.cat(cutouts)
