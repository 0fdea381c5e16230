"""Fills the set to M: by score with the prompt, and by difference from what is chosen already."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from models.generation import GeneratedImage

# The weight of the prompt's rank against the distance's rank.
SCORE_WEIGHT = 0.5


@dataclass(frozen=True)
class Candidate:
    """An accepted image and its thumbnail, (T,) float, by which differences are measured."""

    image: GeneratedImage
    thumbnail: Tensor

    @classmethod
    def of(cls, image: GeneratedImage, pixels: Tensor) -> "Candidate":
        """The candidate with these pixels (3, H, W), and 16 x 16 of them as its thumbnail."""
        return cls(image, F.adaptive_avg_pool2d(pixels, 16).flatten().cpu())


def select(candidates: list[Candidate], num_images: int) -> list[Candidate]:
    """At most `num_images` candidates, greedily: a high prompt cosine, far from those chosen.

    Starts from the best cosine. Each further one has the highest sum of its cosine and of its
    distance to the nearest chosen one, both scaled to [0, 1] over the candidates left.
    """
    if len(candidates) <= num_images:
        return candidates
    scores = torch.tensor([c.image.scores["prompt_cosine"] for c in candidates])
    thumbnails = torch.stack([c.thumbnail for c in candidates])
    chosen = [int(scores.argmax())]
    distance = (thumbnails - thumbnails[chosen[0]]).abs().mean(dim=1)
    while len(chosen) < num_images:
        value = SCORE_WEIGHT * _unit(scores) + (1 - SCORE_WEIGHT) * _unit(distance)
        value[chosen] = -torch.inf
        chosen.append(int(value.argmax()))
        nearest = (thumbnails - thumbnails[chosen[-1]]).abs().mean(dim=1)
        distance = torch.minimum(distance, nearest)
    return [candidates[i] for i in chosen]


def _unit(values: Tensor) -> Tensor:
    low, high = values.min(), values.max()
    return (values - low) / (high - low).clamp_min(1e-12)
