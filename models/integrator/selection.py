"""Fills the set to M: by score with the prompt, and by what each image adds to those chosen.

What an image adds is judged as a detector would: by how much nearer the patches of all candidates
come to a patch of the chosen ones. The set is then worth nearly what all candidates are. Greedy
facility location: Nemhauser, Wolsey and Fisher, Mathematical Programming 14, 1978. Ours, and not in
the paper.

Axes: I candidates, P patches of an image, F patch features, N known patches, Q patches asked for.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence

import torch
from torch import Tensor

from models.features.nearest import nearest_distances
from models.features.patches import PatchFeatures, resized

# The weight of the prompt's score against what the image adds. With more of it a detector loses on
# a texture what the choice brings.
SCORE_WEIGHT = 0.25
# Long side in px at which an image is looked at: a detector's usual one.
LOOKED_AT_PX = 224
# Patches of all candidates together that the chosen ones should come near to, and of one at most.
NUM_ASKED = 8192
MAX_ASKED_OF_ONE = 96
# Images whose worth is looked at together.
LOOKED_AT_ONCE = 16


@torch.no_grad()
def looked_at(images: Tensor, features: PatchFeatures) -> Tensor:
    """Patch features of images (B, 3, H, W) in [0, 1] seen at LOOKED_AT_PX, (B, P, F)."""
    return features.patches(resized(images, LOOKED_AT_PX))


def select(
    patches: Sequence[Callable[[], Tensor]],
    cosines: Sequence[float],
    num_images: int,
    known: Tensor,
    *,
    kinds: Sequence[Hashable] = (),
    score_weight: float = SCORE_WEIGHT,
    on_step: Callable[[], None] = lambda: None,
) -> list[int]:
    """Indices of at most `num_images` images, in the order chosen: near the prompt, and new.

    Each has the highest sum of its cosine and of what it adds, both scaled to [0, 1]. It adds
    sum_q d(q)^2 - min(d(q), d_i(q))^2 over a fixed sample q of the candidates' patches, with d(q)
    the distance to the nearest patch of the chosen ones and of `known`, d_i(q) to its own. Where
    there is nothing to choose, all are taken as they come. Of each kind there are as many as among
    the first M candidates: otherwise what is farthest from the real images would be chosen most.

    Args:
        patches: gives those of each of the I candidates, (P, F) float on the CPU, from `looked_at`.
        cosines: of each candidate, cos(f(I+), z^t) in [-1, 1].
        num_images: M.
        known: patches that the detector has anyway, the real images', (N, F).
        kinds: of each candidate; empty: all are of one.
        score_weight: the cosine's weight in the sum, in [0, 1].
        on_step: called I + M times if there is anything to choose; it may raise to stop.
    """
    if len(patches) <= num_images:
        return list(range(len(patches)))
    asked = _asked(patches)
    squares = nearest_distances(asked, known)[0].square()  # (Q,)
    to_each = torch.empty(len(patches), len(asked))  # (I, Q), squares too
    for row, own in zip(to_each, patches, strict=True):
        row.copy_(nearest_distances(asked, own())[0].square())
        on_step()
    added = LazyAdded(squares, to_each)
    scores = score_weight * _unit(torch.tensor(cosines))
    kinds = kinds or [None] * len(patches)
    left = Counter(kinds[:num_images])
    is_out = torch.tensor([not left[kind] for kind in kinds])
    chosen: list[int] = []
    while len(chosen) < num_images:
        # What is chosen adds nothing, so that 0 is the least from the second step on.
        low = 0.0 if chosen else float(added.all().min())
        high = float(added.bounds[added.best(lambda: added.bounds)])
        scale = (1.0 - score_weight) / max(high - low, 1e-12)

        def values(low: float = low, scale: float = scale) -> Tensor:
            value = scores + scale * (added.bounds - low)
            value[is_out] = -torch.inf
            return value

        index = added.best(values)
        chosen.append(index)
        added.choose(index)
        left[kinds[index]] -= 1
        is_out[index] = True
        if not left[kinds[index]]:
            is_out.logical_or_(torch.tensor([kind == kinds[index] for kind in kinds]))
        on_step()
    return chosen


class LazyAdded:
    """What each image would add, looked at again only where it may matter.

    What an image adds only gets less with each one chosen: what it once added is a bound. Source:
    Minoux, "Accelerated greedy algorithms for maximizing submodular set functions", 1978.

    Attributes:
        bounds: what each image adds at most, (I,).
    """

    def __init__(self, squares: Tensor, to_each: Tensor):
        """Takes d(q)^2 (Q,) and d_i(q)^2 (I, Q) at the start."""
        self.squares, self.to_each = squares, to_each
        self.bounds = torch.full((len(to_each),), torch.inf)
        self.is_exact = torch.zeros(len(to_each), dtype=torch.bool)

    def all(self) -> Tensor:
        """What each image adds, (I,)."""
        for rows in torch.arange(len(self.bounds)).split(LOOKED_AT_ONCE):
            self._look_at(rows)
        return self.bounds

    def best(self, values: Callable[[], Tensor]) -> int:
        """The first image with the highest of the values, which grow with `bounds`, (I,)."""
        while not self.is_exact[index := int((bounds := values()).argmax())]:
            stale = bounds.masked_fill(self.is_exact, -torch.inf)
            rows = stale.topk(min(LOOKED_AT_ONCE, len(stale))).indices
            self._look_at(rows[~self.is_exact[rows]])
        return index

    def choose(self, index: int) -> None:
        """The image is one of the chosen from now on."""
        self.squares = torch.minimum(self.squares, self.to_each[index])
        self.is_exact[:] = False
        self._look_at(torch.tensor([index]))

    def _look_at(self, rows: Tensor) -> None:
        self.bounds[rows] = (self.squares - self.to_each[rows]).clamp_min_(0.0).sum(dim=1)
        self.is_exact[rows] = True


def _asked(patches: Sequence[Callable[[], Tensor]]) -> Tensor:
    """As many patches of each image (P, F), drawn at random, the same at every call: (Q, F)."""
    generator = torch.Generator().manual_seed(0)
    number = max(1, min(MAX_ASKED_OF_ONE, NUM_ASKED // len(patches)))
    asked = []
    for get in patches:
        own = get()
        asked.append(own[torch.randperm(len(own), generator=generator)[:number]])
    return torch.cat(asked)


def _unit(values: Tensor) -> Tensor:
    """The values (I,) scaled to [0, 1]; all 0 where they are equal."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low).clamp_min(1e-12)
