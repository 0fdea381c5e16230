"""What good images say about how their part may differ: figures, before anything is believed.

Each image is looked at by itself (`seen.py`); with several, what is turned or mirrored is compared
with the others: does it show more than a good part differs from another?

Axes: k images, H x W pixels; images in [0, 1].
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.features.patches import PatchFeatures
from models.views.decision.distinct import distinct
from models.views.decision.grain import Grain, grain_of
from models.views.decision.hand import HAS_HAND, mirrored_elsewhere
from models.views.decision.light import light_spread
from models.views.decision.seen import PROBES, Seen, distances, look_at, ratio
from models.views.registration import register
from models.views.widths import MOST_UNEXPLAINED

# A part whose mirror axis is so near to the frame's directions lies straight, and one farther than
# the second lies askew; between them a loose fixture may have let it.
ALIGNED_WITHIN_DEG, ASKEW_FROM_DEG = 4.0, 10.0
# A part is round that is nearer than this to its turned copy, in units of a small view's distance.
# Measured: round parts 1.5 to 2.4, others 2.8 to 5.
ROUND = 2.6
# Others that an image is compared with.
MOST_OTHERS = 4
# Two parts lie alike that registration brings on each other by no larger turn, which leaves so much
# less unexplained than a quarter turn does. Measured: parts in a fixture .01 to .7 and 6 degrees,
# round ones .6 to 1.
ALIKE_WITHIN_DEG, ALIKE_SHARE = 8.0, 0.7
# Of a part's PART_PX, what light makes is as large as squares of this side.
SLOW_PX = 16


@dataclass(frozen=True)
class Evidence:
    """Figures over the distinct images.

    Attributes:
        num_images: how many pictures there are, duplicates counted once.
        lone: share of them that show a lone part.
        held: share of the parts that do not lie free on their ground, see `part_mask.py`.
        at_frame: share of the parts that hang on something or run out of the picture.
        grain: that the images have in common.
        axis_deg: of one image, the lone part's mirror axis, in [0, 180).
        askew: how far the lone parts lie at odd angles to the frame, the mean, in [0, 1].
        axes_apart: how far the parts' axes point apart, in [0, 1]: 0 where all point one way, 1
            where they point all around.
        alike: share of the other parts that lie on the first as they are, a few degrees off at
            most; 0 of one image.
        asymmetry: how much the parts differ from their mirror images, as of a `MirrorAxis`, the
            median; 1 without parts.
        elongation: how many times as long as wide the parts are, the median; 1 without parts.
        to_itself: name -> distance of the turned or mirrored image to itself, over small views'.
        to_others: the same to the other images, over the image's as it is; of two or more images.
        one_sided: how far the parts are brighter on the same side: 1 where all are so alike, 0
            where none is like another; 0 of one part.
        spread: "shift", "scale", "brightness" -> standard deviation over the images, as shares of
            the long side, of log size, of log brightness; of two or more images.
        light_spread: how uneven the light gets, see `light.light_spread`.
        mirrored: of a surface, name -> how much worse a mirrored piece of it is found elsewhere
            than one as it is, see `hand.mirrored_elsewhere`.
    """

    num_images: int
    lone: float
    held: float
    at_frame: float
    grain: Grain
    axis_deg: float | None
    askew: float
    axes_apart: float
    alike: float
    asymmetry: float
    elongation: float
    to_itself: dict[str, float]
    to_others: dict[str, float]
    one_sided: float
    spread: dict[str, float]
    light_spread: float
    mirrored: dict[str, float]

    @property
    def is_round(self) -> bool:
        """Whether it is a part that looks nearly the same however it lies."""
        return self.is_part and self.to_itself["rotate"] < ROUND

    def as_dict(self) -> dict[str, object]:
        """JSON-able, for the manifest; rounded for people."""

        def rounded(values: dict[str, float]) -> dict[str, float]:
            return {name: round(value, 3) for name, value in values.items()}

        return {
            "num_images": self.num_images,
            "lone": round(self.lone, 2),
            "held": round(self.held, 2),
            "at_frame": round(self.at_frame, 2),
            "askew": round(self.askew, 2),
            "axes_apart": round(self.axes_apart, 2),
            "alike": round(self.alike, 2),
            "asymmetry": round(self.asymmetry, 2),
            "elongation": round(self.elongation, 2),
            "axis_deg": self.axis_deg,
            "grain": {
                "coherence": round(self.grain.coherence, 3),
                "angle_deg": round(self.grain.angle_deg, 1),
            },
            "to_itself": rounded(self.to_itself),
            "to_others": rounded(self.to_others),
            "one_sided": round(self.one_sided, 2),
            "spread": rounded(self.spread),
            "mirrored": rounded(self.mirrored),
        }

    @property
    def is_part(self) -> bool:
        """Whether most of the images show a lone part."""
        return self.lone > 0.5

    def has_hand(self, name: str) -> bool:
        """Whether a surface is told from this mirror image by its small pieces."""
        return self.mirrored.get(name, 1.0) > HAS_HAND

    @property
    def is_held(self) -> bool:
        """Whether most of the parts reach the frame or are not alone."""
        return self.held > 0.5

    @property
    def lie_alike(self) -> bool:
        """Whether most of several parts lie as the first does, which none does that lies anyhow."""
        return self.alike > 0.5

    @property
    def has_company(self) -> bool:
        """Whether something else is seen beside most of the parts, which reach no frame."""
        return self.held - self.at_frame > 0.5


def evidence_of(
    images: Tensor, features: PatchFeatures, details: Sequence[Tensor] = ()
) -> Evidence:
    """What the good images (k, 3, H, W) say, H and W multiples of 32; `details` as of `Seen`."""
    finer: Sequence[Tensor | None] = details or [None] * len(images)
    seen = [look_at(images[number], features, finer[number]) for number in distinct(images)]
    return gathered(seen, features)


def gathered(seen: Sequence[Seen], features: PatchFeatures) -> Evidence:
    """What images say together, each looked at already, no picture twice."""
    parts = [s for s in seen if s.middle is not None]
    is_part = 2 * len(parts) > len(seen)
    alike = parts if is_part else [s for s in seen if s.middle is None] or seen
    axes = [part.axis for part in parts if part.axis is not None]
    images = torch.stack([s.image for s in seen])
    return Evidence(
        num_images=len(seen),
        lone=len(parts) / len(seen),
        held=sum(not part.is_free for part in parts) / max(1, len(parts)),
        at_frame=sum(part.at_frame for part in parts) / max(1, len(parts)),
        grain=grain_of(images),
        axis_deg=axes[0].direction_deg if len(seen) == len(axes) == 1 else None,
        askew=sum(_askew(axis.direction_deg) for axis in axes) / max(1, len(axes)),
        axes_apart=_apart([axis.direction_deg for axis in axes]),
        alike=_alike([part.cut for part in parts if part.cut is not None]),
        asymmetry=float(np.median([axis.asymmetry for axis in axes])) if axes else 1.0,
        elongation=float(np.median([part.elongation for part in parts])) if parts else 1.0,
        to_itself={name: float(np.median([s.to_itself[name] for s in alike])) for name in PROBES},
        to_others=_to_others(alike),
        one_sided=_one_sided([part.cut for part in parts if part.cut is not None]),
        spread=_spreads(images, parts if is_part else []),
        light_spread=light_spread(images, features),
        mirrored={} if is_part else mirrored_elsewhere([s.detail.cpu() for s in alike]),
    )


def _askew(axis_deg: float) -> float:
    """How far it lies askew, in [0, 1]."""
    off_deg = abs((axis_deg + 45.0) % 90.0 - 45.0)
    share = (off_deg - ALIGNED_WITHIN_DEG) / (ASKEW_FROM_DEG - ALIGNED_WITHIN_DEG)
    return min(1.0, max(0.0, share))


def _apart(axes_deg: Sequence[float]) -> float:
    """The circular variance of directions that are the same when turned by 180 degrees."""
    if not axes_deg:
        return 0.0
    return 1.0 - float(np.abs(np.exp(2j * np.radians(axes_deg)).mean()))


def _alike(parts: Sequence[Tensor]) -> float:
    """Share of the parts (3, P, P) after the first that lie on it as they are.

    Round ones lie on it turned by quarters too, and say nothing.
    """
    first, others = parts[0] if parts else None, parts[1 : 1 + MOST_OTHERS]
    if first is None or not others:
        return 0.0
    num_alike = 0
    for part in others:
        placed = register(part, first)
        if abs(placed.angle_deg) <= ALIKE_WITHIN_DEG and placed.unexplained <= MOST_UNEXPLAINED:
            quarters = (register(torch.rot90(part, n, (1, 2)), first) for n in (1, 3))
            best = min(quarter.unexplained for quarter in quarters)
            num_alike += placed.unexplained <= ALIKE_SHARE * best
    return num_alike / len(others)


def _to_others(seen: Sequence[Seen]) -> dict[str, float]:
    """Per probe: the images' distance to the others, over that of the images as they are."""
    if len(seen) < 2:
        return {}
    totals = {name: torch.zeros(2) for name in ("", *PROBES)}
    for number, one in enumerate(seen):
        others = [s.patches[""] for n, s in enumerate(seen) if n != number][:MOST_OTHERS]
        for name in totals:
            totals[name] += distances(one.patches[name], torch.cat(others))
    return {name: ratio(totals[name], totals[""]) for name in PROBES}


def _one_sided(parts: Sequence[Tensor]) -> float:
    """How far the parts (3, P, P) are brighter on the same side: the mean correlation of each two.

    Of what a half turn about the middle changes the sign of, in the means of squares of SLOW_PX.
    """
    slow = [F.avg_pool2d(part.mean(dim=0)[None], SLOW_PX)[0] for part in parts]
    sides = [((each - each.flip((0, 1))) / 2).flatten() for each in slow]
    if len(sides) < 2:
        return 0.0
    products = torch.stack(sides) @ torch.stack(sides).T
    own = products.diagonal().sum()
    return float((products.sum() - own) / (len(sides) - 1) / own.clamp_min(1e-9))


def _spreads(images: Tensor, parts: Sequence[Seen]) -> dict[str, float]:
    """Standard deviations over the images (k, 3, H, W), of places and sizes over their parts."""
    spreads: dict[str, float] = {}
    if len(images) > 1:
        spreads["brightness"] = float(images.mean(dim=(1, 2, 3)).clamp_min(0.01).log().std())
    if len(parts) > 1:
        places = torch.tensor([part.middle for part in parts])
        spreads["shift"] = float(places.var(dim=0).mean().sqrt())
        spreads["scale"] = float(torch.tensor([part.size for part in parts]).std())
    return spreads
