"""What a job draws from its images: views and the seeds of their noise, the same at every call."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models.views.decision.distinct import distinct
from models.views.decision.invariances import InvarianceDecision
from models.views.showing.part_mask import lone_part_mask
from models.views.showing.resampling import resampled
from models.views.source import Source
from models.views.view import (
    LEAST_SIDE_PX,
    View,
    ViewLimits,
    draw_view,
    output_size,
    scaled,
)
from models.views.widths import LEAST_HELD, widths_of

# The method looks at a view at this long side at most, and its generator works at that one: what
# the eye of a detector tells apart is there, and a job costs the same whatever the camera has.
SEEN_PX, WORK_PX = 448, 256
# The generator's networks take sides of such multiples.
WORK_MULTIPLE_PX = 16
# What a part does on its ground.
MOVES = frozenset({"rotate", "rotate_90", "shift", "scale"})
# A part that hangs on something, and turns with it, swings so far to either side.
SWING_DEG = 25.0
# Between these an image's mean brightness stands for its own level.
LEVELS = (0.05, 0.95)
# Draws of one kind have a seed range of their own, apart from the request's seed.
VIEW_SEEDS, FILL_SEEDS = 1, 3
# Several images show how far parts and light differ, and a view starts at one of them: it goes on
# for so much of that. More, and a set of views would differ more than the images do (by Scott's
# rule, h = n^(-1 / (d + 4)), h / sqrt(1 + h^2) is .68 to .62 for 2 to 10 images and d = 6).
BANDWIDTH = 0.65
# Steps of the golden ratio spread any number of angles evenly, so that no two are alike by chance.
GOLDEN_RATIO = (5**0.5 - 1) / 2
TURN_SEED = 2**31
# Seeds of eps lie in [0, MAX_SEED).
MAX_SEED = 2**31


class Draw(NamedTuple):
    """One view: its pixels (3, h, w) in [0, 1] as the method sees it, how it was made, eps's seed.

    `Draws.shown` has it at the size of the output.
    """

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

    Three sizes, all of the first image's shape: `size` is the output's, H x W; what looks at a view
    sees it at `seen_size`, h x w; the generator works at `work_size`, of multiples of 16 px.

    Args:
        images: k good images.
        image_size: long side of the output in px; None: the first image's own.
        seed: of the whole job.
        device: where the pixels lie.

    Attributes:
        size, seen_size, work_size: (width, height) in px.
        images: (k, 3, h, w) in [0, 1], at `seen_size`.
        distinct: which of the images are no duplicates of an earlier one.
        pictures: those of `images`, (n, 3, h, w): what is learned from.
        sources: each good image, as it is moved to be seen.
        fills: of each image, what stands beyond its edge, see `View.fill`.
        limits: how far a view goes where the decision says no more.
        decision: which views are good; nothing beyond the smallest of them until it is set. A
            user's word that a part moves also says that what is seen beside it does not.
    """

    def __init__(
        self, images: Sequence[Image.Image], image_size: int | None, seed: int, device: torch.device
    ):
        self.seed = seed
        self.size = output_size(images[0], image_size)
        self.seen_size = scaled(self.size, min(SEEN_PX, max(self.size)), LEAST_SIDE_PX)
        self.work_size = _work_size(self.size)
        self._images, self._device = images, device
        self._full: dict[int, Source] = {}
        self.sources = [Source(image, self.seen_size, device) for image in images]
        self.images = torch.stack([source.still() for source in self.sources])
        self.distinct = distinct(self.images)
        self.pictures = self.images[self.distinct]
        self.fills = [
            "ground" if source.part else "mirror" if lone_part_mask(image) is None else "edge"
            for source, image in zip(self.sources, self.images.cpu(), strict=True)
        ]
        self.limits = _for_shape(widths_of(self.pictures.cpu()).limits, self.size)
        self._levels = self.images.mean(dim=(1, 2, 3)).clamp(*LEVELS).tolist()
        self.decision = InvarianceDecision(frozenset())

    @property
    def decision(self) -> InvarianceDecision:
        """Which views are good."""
        return self._decision

    @decision.setter
    def decision(self, decision: InvarianceDecision) -> None:
        self._decision = decision
        if decision.decided_by == "request" and decision.invariances & MOVES:
            self.fills = [
                "ground" if fill == "edge" and source.free_part() else fill
                for fill, source in zip(self.fills, self.sources, strict=True)
            ]

    def draw(self, kind: int, number: int) -> Draw:
        """View `number` of its kind."""
        plan = self.plan(kind, number)
        return Draw(self.seen(plan), *plan)

    def plan(self, kind: int, number: int) -> Plan:
        """How view `number` of its kind is made."""
        rng = self._rng(kind, number)
        (source,) = self.sources_of([number])
        # Spread over the views of each source, not of all of them in turn.
        step, turns = divmod(number, len(self.distinct))
        first = self._rng(kind, TURN_SEED).random(2)
        turn = float(first[0]) + step * GOLDEN_RATIO + turns / len(self.distinct)
        place = number + float(first[1])
        families = self._made(source, place)
        num_turned = math.floor(place * self.decision.shares.get("rotate", 0.0))
        if "rotate" in families & self.decision.shares.keys():
            # Spread over those that turn: of every eighth, steps would be of 20 degrees.
            turn = float(first[0]) + num_turned * GOLDEN_RATIO
        if "rotate" in families and self.hangs(source):
            # What hangs swings with what holds it; nothing hangs from below.
            turn = 0.5 + (turn % 1.0 - 0.5) * SWING_DEG / 180.0
        bandwidth = BANDWIDTH if len(self.distinct) > 1 else 1.0
        # How loose a line is, one image does not say: most of its views stay near to it.
        share = rng.random() ** (1.0 / len(self.distinct))
        every_second = (number - num_turned) // len(self.distinct) % 2 == 1
        held = every_second and self._may_be_held(source, families)
        # What keeps its pose would be a near-copy without the light.
        limits = self.limits.still() if held else self.limits.times(share)
        if not self._is_half_turned(step):
            families -= {"half_turn"}
        view = draw_view(
            families,
            rng,
            fill=self.fills[source],
            turn=turn % 1.0,
            light_spread=self.decision.light_spread,
            spread={name: width * bandwidth for name, width in self.decision.spread.items()},
            flip_share=self.decision.flip_share,
            limits=limits.times(bandwidth),
        )
        # The gamma turns about the image's own brightness: it changes contrast, gain the rest.
        view = replace(view, gain=view.gain * self._levels[source] ** (1.0 - view.gamma))
        shown = self.sources[source]
        if shown.part:
            view = shown.part.placed(view, shown.size)
        return Plan(view, source, int(rng.integers(MAX_SEED)))

    def plans(self, kind: int, count: int) -> list[Plan]:
        """How the first `count` views of a kind are made."""
        return [self.plan(kind, number) for number in range(count)]

    def seen(self, plan: Plan) -> Tensor:
        """What is planned, (3, h, w) in [0, 1]."""
        return self.sources[plan.source].shown(plan.view)

    def shown(self, draw: Draw) -> Tensor:
        """The view at the size of the output, (3, H, W) in [0, 1]."""
        if self.size == self.seen_size:
            return draw.pixels
        if draw.source not in self._full:
            image, seen = self._images[draw.source], self.sources[draw.source]
            self._full[draw.source] = Source(image, self.size, self._device, like=seen)
        return self._full[draw.source].shown(draw.view)

    def at_work(self, pixels: Tensor) -> Tensor:
        """Images (..., 3, h, w) at the size at which the generator works."""
        return resampled(pixels, self.work_size).clamp(0.0, 1.0)

    def sources_of(self, numbers: Iterable[int]) -> list[int]:
        """Which real image each of these views shows: they take turns, each picture once."""
        return [self.distinct[number % len(self.distinct)] for number in numbers]

    def hangs(self, source: int) -> bool:
        """Whether what holds the part is seen to reach the frame, all else of which is plain."""
        return self.fills[source] == "edge" and self.sources[source].has_plain_frame

    def views(self, kind: int, count: int, on_view: Callable[[], None] = lambda: None) -> Tensor:
        """The pixels of the first `count` views of a kind, (count, 3, h, w).

        `on_view` is called after each; it may raise to stop.
        """
        shown = []
        for number in range(count):
            shown.append(self.draw(kind, number).pixels)
            on_view()
        return torch.stack(shown) if shown else self.images[:0]

    def _rng(self, kind: int, number: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, kind, number])

    def _allowed(self, source: int) -> frozenset[str]:
        """What source may do: what the images decided, no more than it can without harm.

        A part that reaches the frame is not turned unless the user says so, nor is an image of one
        in which no part is found: its corners would show it mirrored.
        """
        decided, evidence = self.decision.invariances, self.decision.evidence
        is_part = evidence is not None and evidence.is_part
        held = self.fills[source] == "edge" or (self.fills[source] == "mirror" and is_part)
        held &= self.decision.decided_by == "images"
        return decided - {"rotate", "rotate_90"} if held else decided

    def _may_be_held(self, source: int, families: frozenset[str]) -> bool:
        """Whether a fixture may hold the part exactly, as fewer images than three cannot tell.

        Then every second view keeps its pose: where parts are held so, no moved one is among what
        the line makes. A part that a view turns, or that is said to move, is held by nothing.
        """
        is_free = bool(families & MOVES)
        return len(self.distinct) < LEAST_HELD and self.fills[source] != "mirror" and not is_free

    def _is_half_turned(self, step: int) -> bool:
        """Whether a source's view of this number is turned by half, where it may be.

        Half of them are, or, on the belief of a few images, every eighth; then the views between
        keep a pose that a fixture may hold.
        """
        few = len(self.distinct) < LEAST_HELD and self.decision.decided_by == "images"
        return step % 8 == 2 if few else step // 2 % 2 == 1

    def _made(self, source: int, place: float) -> frozenset[str]:
        """The families that a view shows: some of them evenly spread, in their share of places.

        A part that is held swings with all that is seen, where the edge can be continued; an image
        in which no part is found is not turned for some of the others.
        """
        shares, allowed = self.decision.shares, self._allowed(source)
        is_held = self.fills[source] == "edge" and not self.hangs(source)
        may_be = allowed if is_held or self.fills[source] == "mirror" else allowed | shares.keys()
        return frozenset(
            name
            for name in may_be
            if name not in shares or place * shares[name] % 1.0 >= 1.0 - shares[name]
        )


def _for_shape(limits: ViewLimits, size: tuple[int, int]) -> ViewLimits:
    """The limits with the angle of a long shape so small that its ends move as a square's do."""
    return replace(limits, angle_deg=limits.angle_deg * min(size) / max(size))


def _work_size(output: tuple[int, int]) -> tuple[int, int]:
    sides = scaled(output, min(WORK_PX, max(output)), LEAST_SIDE_PX)
    width, height = (round(side / WORK_MULTIPLE_PX) * WORK_MULTIPLE_PX for side in sides)
    return width, height
