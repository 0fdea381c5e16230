"""Fills the set to M: by score with the prompt, and by what each image adds to those chosen.

What an image adds is judged as a detector would: by how much nearer the patches of all candidates
come to a patch of the chosen ones. The set is then worth nearly what all candidates are. Greedy
facility location: Nemhauser, Wolsey and Fisher, Mathematical Programming 14, 1978.

Axes: I candidates, P patches of an image, F patch features, N known patches, Q patches asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from models.features.patches import PatchFeatures, nearest_distances, resized
from models.job.request import GeneratedImage

# The weight of the prompt's score against what the image adds. With more of it a detector loses on
# a texture what the choice brings.
SCORE_WEIGHT = 0.25
# Long side in px at which an image is looked at: a detector's usual one.
LOOKED_AT_PX = 224
# Patches of all candidates together that the chosen ones should come near to, and of one at most.
NUM_ASKED = 8192
MAX_ASKED_OF_ONE = 96


@dataclass(frozen=True)
class Candidate:
    """An accepted image and its patch features, (P, F) float on the CPU."""

    image: GeneratedImage
    patches: Tensor

    @classmethod
    def of(cls, image: GeneratedImage, pixels: Tensor, features: PatchFeatures) -> "Candidate":
        """The candidate with these pixels (3, H, W) in [0, 1]."""
        return cls(image, looked_at(pixels, features))


@torch.no_grad()
def looked_at(pixels: Tensor, features: PatchFeatures) -> Tensor:
    """Patch features of an image (3, H, W) in [0, 1] seen at LOOKED_AT_PX, (P, F)."""
    return features.patches(resized(pixels[None], LOOKED_AT_PX))[0].cpu()


def select(
    candidates: list[Candidate],
    num_images: int,
    known: Tensor,
    *,
    score_weight: float = SCORE_WEIGHT,
    on_step: Callable[[], None] = lambda: None,
) -> list[Candidate]:
    """At most `num_images` candidates, greedily: a high prompt cosine, and much that is new.

    Each has the highest sum of its cosine and of what it adds, both scaled to [0, 1]. It adds
    sum_q d(q)^2 - min(d(q), d_i(q))^2 over a fixed sample q of the candidates' patches, with d(q)
    the distance to the nearest patch of the chosen ones and of `known`, d_i(q) to its own.

    Args:
        candidates: I images that the guard let pass.
        num_images: M.
        known: patches that the detector has anyway, the real images', (N, F).
        score_weight: the cosine's weight in the sum, in [0, 1].
        on_step: called I + M times if there is anything to choose; it may raise to stop.
    """
    if len(candidates) <= num_images:
        return candidates
    asked = _asked([c.patches for c in candidates])
    squares = nearest_distances(asked, known).square()  # (Q,)
    to_each = torch.empty(len(candidates), len(asked))  # squares too
    for row, candidate in zip(to_each, candidates, strict=True):
        row.copy_(nearest_distances(asked, candidate.patches).square())
        on_step()
    scores = _unit(torch.tensor([c.image.scores["prompt_cosine"] for c in candidates]))
    chosen: list[int] = []
    while len(chosen) < num_images:
        added = (squares - to_each).clamp_min(0.0).sum(dim=1)
        value = score_weight * scores + (1 - score_weight) * _unit(added)
        value[chosen] = -torch.inf
        chosen.append(int(value.argmax()))
        squares = torch.minimum(squares, to_each[chosen[-1]])
        on_step()
    return [candidates[i] for i in chosen]


def _asked(patches: list[Tensor]) -> Tensor:
    """As many patches of each image (P, F), drawn at random, the same at every call: (Q, F)."""
    generator = torch.Generator().manual_seed(0)
    number = max(1, min(MAX_ASKED_OF_ONE, NUM_ASKED // len(patches)))
    return torch.cat([p[torch.randperm(len(p), generator=generator)[:number]] for p in patches])


def _unit(values: Tensor) -> Tensor:
    low, high = values.min(), values.max()
    return (values - low) / (high - low).clamp_min(1e-12)
