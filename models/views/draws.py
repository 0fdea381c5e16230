"""What a job draws from its images: views and the seeds of their noise, the same at every call."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from models.views.invariances import InvarianceDecision, lone_part_mask
from models.views.view import View, covering, draw_view, output_size, to_tensor
from models.views.warp import apply_view

# A source larger than the output is worked on at up to this multiple, so that turning blurs
# nothing.
WORKING_FACTOR = 2
# Draws of one kind have a seed range of their own, apart from the request's seed.
VIEW_SEEDS, ROUND_SEEDS, FILL_SEEDS = 1, 2, 3
# Steps of the golden ratio spread any number of angles evenly, so that no two are alike by chance.
GOLDEN_RATIO = (5**0.5 - 1) / 2
TURN_SEED = 2**31
# Seeds of eps lie in [0, MAX_SEED).
MAX_SEED = 2**31


class Draw(NamedTuple):
    """One view: its pixels (3, H, W) in [0, 1], how it was made, and the seed for its eps."""

    pixels: Tensor
    view: View
    source: int
    seed: int


class Draws:
    """The good images of one job and the views drawn of them.

    Args:
        images: k good images.
        image_size: long side of the output in px.
        seed: of the whole job.
        device: where the pixels lie.

    Attributes:
        size: (width, height) of the output.
        images: (k, 3, H, W) in [0, 1], at the output's size.
        decision: which views are good; nothing beyond the smallest of them until it is set.
    """

    def __init__(
        self, images: Sequence[Image.Image], image_size: int, seed: int, device: torch.device
    ):
        self.seed = seed
        self.size = output_size(images[0], image_size)
        width, height = self.size
        smallest = min(min(image.size) for image in images)
        self.factor = min(WORKING_FACTOR, max(1, round(smallest / min(self.size))))
        working = (width * self.factor, height * self.factor)
        self.sources = [to_tensor(image, working).to(device) for image in images]
        self.images = torch.stack([to_tensor(image, self.size) for image in images]).to(device)
        lone = [lone_part_mask(image) is not None for image in self.images.cpu()]
        self.fills = ["ground" if alone else "mirror" for alone in lone]
        self.decision = InvarianceDecision(frozenset(), {})

    def draw(self, kind: int, number: int) -> Draw:
        """View `number` of its kind."""
        rng = self._rng(kind, number)
        (source,) = self.sources_of([number])
        turn = (float(self._rng(kind, TURN_SEED).random()) + number * GOLDEN_RATIO) % 1.0
        view = draw_view(
            self.decision.invariances,
            rng,
            fill=self.fills[source],
            turn=turn,
            light_spread=self.decision.light_spread,
        )
        view = covering(view, self.size)
        return Draw(self._show(source, view), view, source, int(rng.integers(MAX_SEED)))

    def sources_of(self, numbers: Iterable[int]) -> list[int]:
        """Which real image each of these views shows: they take turns."""
        return [number % len(self.sources) for number in numbers]

    def views(self, kind: int, count: int) -> Tensor:
        """The pixels of the first `count` views of a kind, (count, 3, H, W)."""
        return torch.stack([self.draw(kind, number).pixels for number in range(count)])

    def _rng(self, kind: int, number: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, kind, number])

    def _show(self, source: int, view: View) -> Tensor:
        """Real image number `source` as the view shows it, (3, H, W), at the output's size."""
        width, height = self.size
        shown = apply_view(self.sources[source], view, (width * self.factor, height * self.factor))
        return F.avg_pool2d(shown, self.factor) if self.factor > 1 else shown
