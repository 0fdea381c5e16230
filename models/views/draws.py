"""What a job draws from its images: views and the seeds of their noise, the same at every call."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models.views.invariances import InvarianceDecision
from models.views.lone_part import LonePart
from models.views.part_mask import lone_part_mask
from models.views.relight import relight
from models.views.resampling import resampled
from models.views.view import View, covering, draw_view, output_size, to_tensor
from models.views.warp import apply_view

# A source is worked on at its own size, up to this multiple of the output's and this long side: a
# finer one shows no more, and the memory is bounded (150 MB a layer at the most).
WORKING_FACTOR, MAX_WORKING_PX = 3, 4096
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


class Plan(NamedTuple):
    """A draw that is not shown yet."""

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
        parts: of each image the lone part that moves on its ground; None where there is none.
        fills: of each image, what stands beyond its edge, see `View.fill`.
        decision: which views are good; nothing beyond the smallest of them until it is set.
    """

    def __init__(
        self, images: Sequence[Image.Image], image_size: int, seed: int, device: torch.device
    ):
        self.seed = seed
        self.size = output_size(images[0], image_size)
        sizes = [working_size(image.size, self.size) for image in images]
        pairs = zip(images, sizes, strict=True)
        self._sources = [_bytes(to_tensor(image, size)).to(device) for image, size in pairs]
        shown = [resampled(self._source(n), self.size) for n in range(len(images))]
        self.images = torch.stack(shown).clamp(0.0, 1.0)
        self.parts = [LonePart.find(self._source(n)) for n in range(len(images))]
        self.fills = [
            "ground" if part else "mirror" if lone_part_mask(image) is None else "edge"
            for part, image in zip(self.parts, self.images.cpu(), strict=True)
        ]
        self.decision = InvarianceDecision(frozenset(), {})

    def draw(self, kind: int, number: int) -> Draw:
        """View `number` of its kind."""
        plan = self.plan(kind, number)
        return Draw(self.show(plan), *plan)

    def plan(self, kind: int, number: int) -> Plan:
        """How view `number` of its kind is made."""
        rng = self._rng(kind, number)
        (source,) = self.sources_of([number])
        # Spread over the views of each source, not of all of them in turn.
        step, count = number // len(self._sources), len(self._sources)
        turn = float(self._rng(kind, TURN_SEED).random()) + step * GOLDEN_RATIO + source / count
        view = draw_view(
            self._allowed(source),
            rng,
            fill=self.fills[source],
            turn=turn % 1.0,
            light_spread=self.decision.light_spread,
        )
        part, working = self.parts[source], self._working(source)
        view = part.placed(view, working) if part else covering(view, self.size)
        return Plan(view, source, int(rng.integers(MAX_SEED)))

    def show(self, plan: Plan) -> Tensor:
        """What is planned, (3, H, W) in [0, 1], at the output's size."""
        return self._show(plan.source, plan.view)

    def sources_of(self, numbers: Iterable[int]) -> list[int]:
        """Which real image each of these views shows: they take turns."""
        return [number % len(self._sources) for number in numbers]

    def views(self, kind: int, count: int) -> Tensor:
        """The pixels of the first `count` views of a kind, (count, 3, H, W)."""
        return torch.stack([self.draw(kind, number).pixels for number in range(count)])

    def _rng(self, kind: int, number: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, kind, number])

    def _allowed(self, source: int) -> frozenset[str]:
        """What source may do: what the images decided, no more than it can without harm.

        A part that reaches the frame is not turned unless the user says so.
        """
        decided = self.decision.invariances
        held = self.fills[source] == "edge" and self.decision.decided_by == "images"
        return decided - {"rotate", "rotate_90"} if held else decided

    def _source(self, source: int) -> Tensor:
        """Real image number `source` at its working size, (3, H0, W0) in [0, 1]."""
        return self._sources[source].float() / 255.0

    def _working(self, source: int) -> tuple[int, int]:
        height, width = self._sources[source].shape[-2:]
        return width, height

    def _show(self, source: int, view: View) -> Tensor:
        """Real image number `source` as the view shows it, (3, H, W), at the output's size."""
        part, image = self.parts[source], self._source(source)
        if part is None:
            return apply_view(image, view, self.size)
        shown = resampled(part.shown(image, view, self.size), self.size)
        return relight(shown.clamp(0.0, 1.0), view)


def working_size(source: tuple[int, int], output: tuple[int, int]) -> tuple[int, int]:
    """(width, height) at which a source is warped: its own, but no finer than is of use."""
    most = min(WORKING_FACTOR * max(output), MAX_WORKING_PX)
    factor = min(1.0, most / max(source))
    width, height = (max(1, round(side * factor)) for side in source)
    return width, height


def _bytes(image: Tensor) -> Tensor:
    return (image * 255).round().byte()
