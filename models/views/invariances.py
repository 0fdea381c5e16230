"""Decides from the images which transformations leave a good part good.

With several images, they tell: if the turned image A is as near to the image B as A itself is,
turning is normal. With one image there are two signs: the image equals its own transformed copy,
patch by patch (a round bottle, an isotropic texture), or it shows a lone part that lies askew,
mirror axis and frame at an odd angle, as only parts do that are laid down at random. Two things
speak against, whatever the figures say: a grain that all images share (models/views/grain.py), and
a part that reaches the frame, as one that hangs on a wire. A lone part is never mirrored. Whether
the light may vary is decided in models/views/light.py.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from models.features.nearest import nearest_distances
from models.features.patches import PatchFeatures, resized
from models.views.grain import grain_of
from models.views.light import USUAL_SPREAD, light_spread
from models.views.lone_part import LonePart
from models.views.part_mask import lone_part_mask
from models.views.relight import relight
from models.views.view import INVARIANCES, View, draw_view, to_tensor
from models.views.warp import apply_view

# Candidates for what the images can show; `shift`, `scale` and `brightness` need k >= 2 images.
PROBES: dict[str, tuple[View, ...]] = {
    "rotate": tuple(View(angle_deg=a) for a in (45.0, 120.0, 200.0, 290.0)),
    "rotate_90": tuple(View(angle_deg=a) for a in (90.0, 180.0, 270.0)),
    "flip_horizontal": (View(flip_horizontal=True),),
    "flip_vertical": (View(flip_vertical=True),),
    "shift": (View(shift_x=0.08), View(shift_y=-0.08)),
    "scale": (View(scale=1.12), View(scale=0.89)),
    "brightness": (View(gain=1.18), View(gain=0.85), View(gamma=1.18)),
}
TURNS = frozenset({"rotate", "rotate_90"})
# Of a lone part a mirror image shows what a turn shows too, or another part: a thread, a print and
# blades have a hand, which features hardly see.
FLIPS = frozenset({"flip_horizontal", "flip_vertical"})
# A transformed image may lie this much farther from the others than the image as it is.
TOLERANCE_BETWEEN_IMAGES = 1.10
TOLERANCE_SELF = 2.1
ALIGNED_WITHIN_DEG = 6.0
ANALYSIS_PX = 192
MOST_LOOKED_AT = 8
AXIS_STEP_DEG = 2


@dataclass(frozen=True)
class Belief:
    """How likely views of one family are still good parts, in [0, 1], and why, in a sentence."""

    belief: float
    reason: str


@dataclass(frozen=True)
class InvarianceDecision:
    """The invariances allowed, and the figure that spoke for or against each.

    `evidence` maps each candidate to its distance ratio (k >= 2: to the other images, k = 1: to the
    image itself; 1.0 means no farther than an untransformed image); `axis_deg` is the lone part's
    mirror axis in [0, 180), None when the part is not alone or several images were given;
    `light_spread` is how uneven the light may get (`light.light_spread`).
    """

    invariances: frozenset[str]
    evidence: dict[str, float]
    axis_deg: float | None = None
    light_spread: float = 0.0
    decided_by: str = "images"

    @property
    def beliefs(self) -> dict[str, Belief]:
        """Of every family."""
        return {
            name: Belief(0.9, "The images speak for it.")
            if name in self.invariances
            else Belief(0.1, "Nothing in the images speaks for it.")
            for name in INVARIANCES
        }

    def as_dict(self) -> dict[str, object]:
        """JSON-able, for the manifest."""
        return {
            "allowed": sorted(self.invariances),
            "distance_ratio": {name: round(value, 4) for name, value in self.evidence.items()},
            "axis_deg": None if self.axis_deg is None else round(self.axis_deg, 1),
            "light_spread": round(self.light_spread, 3),
            "decided_by": self.decided_by,
        }


def looked_at(num_images: int) -> list[int]:
    """Which of the images the decision looks at: some, evenly spread, the first among them."""
    return sorted({num_images * n // MOST_LOOKED_AT for n in range(MOST_LOOKED_AT)})


def analysed(image: Image.Image, first_size: tuple[int, int]) -> Tensor:
    """The image as the decision sees it, (3, H, W) in [0, 1], H and W multiples of 32.

    `first_size` (width, height) is the first image's: all get its shape.
    """
    factor = ANALYSIS_PX / max(first_size)
    width, height = (max(2, round(side * factor / 32)) * 32 for side in first_size)
    return to_tensor(image, (width, height))


def decide_invariances(images: Tensor, features: PatchFeatures) -> InvarianceDecision:
    """Which of `view.INVARIANCES` the good images (k, 3, H, W) in [0, 1] support."""
    small = resized(images, ANALYSIS_PX)
    spread = light_spread(small, features)
    light = {"lighting"} if spread else set()
    parts = [LonePart.find(image) for image in small]
    forbidden = _forbidden(small, parts)
    if len(images) > 1:
        evidence = _ratios_between(small, parts, features)
        allowed = {n for n, ratio in evidence.items() if ratio <= TOLERANCE_BETWEEN_IMAGES}
        allowed = light | (allowed - forbidden)
        return InvarianceDecision(frozenset(allowed), evidence, light_spread=spread)
    evidence = _ratios_to_itself(small[0], parts[0], features)
    allowed = {n for n, ratio in evidence.items() if ratio <= TOLERANCE_SELF}
    axis = mirror_axis_deg(small[0].cpu())
    if axis is not None and abs((axis + 45.0) % 90.0 - 45.0) > ALIGNED_WITHIN_DEG:
        allowed |= {"rotate", "rotate_90"}
    return InvarianceDecision(frozenset(light | (allowed - forbidden)), evidence, axis, spread)


def _forbidden(images: Tensor, parts: Sequence[LonePart | None]) -> frozenset[str]:
    """What would do harm to most of the images (k, 3, H, W), whatever their figures say."""
    lone = [lone_part_mask(image) is not None for image in images.cpu()]
    if 2 * sum(lone) <= len(images):
        return grain_of(images).forbids
    held = sum(alone and part is None for alone, part in zip(lone, parts, strict=True))
    return FLIPS | TURNS if 2 * held > len(images) else FLIPS


def requested_invariances(
    requested: frozenset[str], images: Tensor, features: PatchFeatures
) -> InvarianceDecision:
    """The user's word; the images (k, 3, H, W) say only how uneven the light gets, if it may."""
    spread = 0.0
    if "lighting" in requested:
        spread = light_spread(resized(images, ANALYSIS_PX), features) or USUAL_SPREAD
    return InvarianceDecision(requested, {}, light_spread=spread, decided_by="request")


def _size(image: Tensor) -> tuple[int, int]:
    return image.shape[-1], image.shape[-2]


@torch.no_grad()
def _distances(features: PatchFeatures, images: Tensor, bank: Tensor) -> Tensor:
    """Distances of the images' patches to their nearest in the bank (N, F): mean and 99 %, (2,).

    The mean speaks for the whole, the tail for small marks such as print, which must not turn.
    """
    patches = features.patches(images).flatten(0, 1)
    nearest, _ = nearest_distances(patches, bank)
    return torch.stack([nearest.mean(), nearest.quantile(0.99)]).cpu()


def _ratio(probed: Tensor, plain: Tensor) -> float:
    """The worse of the two ratios, mean to mean and tail to tail."""
    return float((probed / plain.clamp_min(1e-9)).max())


def _probe(image: Tensor, part: LonePart | None, views: Iterable[View]) -> Tensor:
    """The image (3, H, W) through the views, (N, 3, H, W); a lone part moves on its ground."""
    size = _size(image)
    if part is None:
        return torch.stack([apply_view(image, view, size) for view in views])
    placed = [part.placed(replace(view, fill="ground"), size) for view in views]
    shown = [relight(part.shown(image, view, size).clamp(0.0, 1.0), view) for view in placed]
    return torch.stack(shown)


@torch.no_grad()
def _ratios_between(
    images: Tensor, parts: Sequence[LonePart | None], features: PatchFeatures
) -> dict[str, float]:
    """Per candidate: the transformed images' distance to the others, over the plain ones'."""
    patches = features.patches(images)  # (k, P, F)
    plain, probed = torch.zeros(2), {name: torch.zeros(2) for name in PROBES}
    # Five images settle it; more would only cost time.
    for index in range(min(len(images), 5)):
        bank = torch.cat([patches[j] for j in range(len(images)) if j != index][:8])
        plain = plain + _distances(features, images[index : index + 1], bank)
        for name, views in PROBES.items():
            views_of_it = _probe(images[index], parts[index], views)
            probed[name] = probed[name] + _distances(features, views_of_it, bank)
    return {name: _ratio(value, plain) for name, value in probed.items()}


@torch.no_grad()
def _ratios_to_itself(
    image: Tensor, part: LonePart | None, features: PatchFeatures
) -> dict[str, float]:
    """Per turn or flip: distance of the transformed image to its own small views, over theirs."""
    rng = np.random.default_rng(0)
    views = _probe(image, part, [draw_view(frozenset(), rng) for _ in range(8)])
    bank = features.patches(torch.cat([image[None], views[:4]])).flatten(0, 1)
    plain = _distances(features, views[4:], bank)
    names = ("rotate", "rotate_90", "flip_horizontal", "flip_vertical")
    probed = {n: _distances(features, _probe(image, part, PROBES[n]), bank) for n in names}
    return {name: _ratio(value, plain) for name, value in probed.items()}


def mirror_axis_deg(image: Tensor) -> float | None:
    """Direction of the lone part's mirror axis, degrees in [0, 180); None without a lone part.

    0 is the horizontal axis, angles grow counter-clockwise. The axis is where the part differs
    least from its mirror image. On a round part it is whatever small marks say; turning such a part
    does little, and so no harm.
    """
    mask = lone_part_mask(image)
    if mask is None:
        return None
    differences = torch.tensor(
        [_mirror_difference(image, mask, angle) for angle in range(0, 180, AXIS_STEP_DEG)]
    )
    return float(AXIS_STEP_DEG * int(differences.argmin()))


def _mirror_difference(image: Tensor, mask: Tensor, angle_deg: float) -> float:
    """Mean difference of the part from its mirror image about the axis through its centre."""
    ys, xs = mask.nonzero(as_tuple=True)
    height, width = mask.shape
    centre_x, centre_y = float(xs.float().mean()), float(ys.float().mean())
    radius = 1.1 * float(torch.quantile(torch.hypot(xs - centre_x, ys - centre_y), 0.98))
    steps = torch.linspace(-radius, radius, 96)
    down, across = torch.meshgrid(steps, steps, indexing="ij")
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    x = centre_x + across * cos - down * sin
    y = centre_y - across * sin - down * cos
    grid = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], dim=-1)[None]
    grey = image.mean(dim=0)[None, None]
    turned = F.grid_sample(grey, grid, padding_mode="border", align_corners=True)[0, 0]
    inside = torch.hypot(down, across) <= radius
    return float((turned - turned.flip(0)).abs()[inside].mean())
