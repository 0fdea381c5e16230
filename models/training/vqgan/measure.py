"""What a VQ model reaches on held-out crops."""

from collections.abc import Sequence

import torch
from torch import Tensor

from models.features.patches import PatchFeatures
from models.generator.vqgan import VarianceAwareVQModel
from models.training.vqgan.batches import as_input


@torch.no_grad()
def measure(
    model: VarianceAwareVQModel, features: PatchFeatures, batches: Sequence[Tensor]
) -> dict[str, float]:
    """Means over the crops, (B, 3, H, W) uint8 each batch, all batches of one size.

    `psnr_db`; `l1`, of pixels in [0, 1]; `feature_distance`, as `PatchFeatures.distance`; and
    `codes_used`, the share of the codebook that the crops take.
    """
    psnr, l1, distance = [], [], []
    used = torch.zeros_like(model.quantize.embedding.weight[:, 0], dtype=torch.bool)
    for batch in batches:
        x = as_input(batch)
        z = model.posterior(x).mean
        used[model.codes(z).flatten()] = True
        shown, decoded = (x + 1) / 2, (model.decode_latents(z).clamp(-1, 1) + 1) / 2
        error = (decoded - shown).square().mean(dim=(1, 2, 3))
        psnr.append(-10 * torch.log10(error.clamp_min(1e-10)))
        l1.append((decoded - shown).abs().mean())
        distance.append(features.distance(shown, decoded))
    return {
        "psnr_db": round(float(torch.cat(psnr).double().mean()), 4),
        "l1": round(float(torch.stack(l1).mean()), 5),
        "feature_distance": round(float(torch.stack(distance).mean()), 5),
        "codes_used": round(float(used.float().mean()), 5),
    }
