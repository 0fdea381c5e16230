"""What good images say about how their part may differ: figures, before anything is believed.

A lone part is looked at by itself, cut out as a square about its middle, so that neither its place
nor its ground speaks; any other image is looked at as a whole. Patches are compared by EfficientNet
features; what is turned or mirrored is compared with the image itself (does it show at all?) and,
with several images, with the others (does it show more than a good part differs from another?).

Axes: k images, H x W pixels, P patches, F features; images in [0, 1].
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.features.nearest import nearest_distances
from models.features.patches import PatchFeatures
from models.views.grain import Grain, grain_of
from models.views.light import light_spread
from models.views.mirror_axis import mirror_axis_deg
from models.views.part_mask import dilated, free_part_mask, lone_part_mask
from models.views.view import View, draw_view
from models.views.warp import apply_view, moved

PROBES: dict[str, tuple[View, ...]] = {
    "rotate": tuple(View(angle_deg=a) for a in (45.0, 120.0, 200.0, 290.0)),
    "rotate_90": tuple(View(angle_deg=a) for a in (90.0, 180.0, 270.0)),
    "flip_horizontal": (View(flip_horizontal=True),),
    "flip_vertical": (View(flip_vertical=True),),
}
# Long side at which images are looked at; of a lone part, the square's side.
ANALYSIS_PX, PART_PX = 192, 160
# Ground that is left around a part, as a share of its radius.
PART_MARGIN = 0.08
# Of the distances from a part's middle, those beyond this quantile count as stray pixels.
ALL_BUT_STRAY = 0.995
ALIGNED_WITHIN_DEG = 6.0
NUM_SMALL_VIEWS = 8
# Others that an image is compared with.
MOST_OTHERS = 4
# Two pictures that differ by less in the mean are one picture.
SAME_PICTURE = 0.001


@dataclass(frozen=True)
class Evidence:
    """Figures over the distinct images.

    Attributes:
        num_images: how many pictures there are, duplicates counted once.
        lone: share of them that show a lone part.
        held: share of them whose part reaches the frame or is not alone, of those with a part.
        grain: that the images have in common.
        axis_deg: of one image, the lone part's mirror axis, in [0, 180).
        askew: share of the lone parts that lie at an odd angle to the frame.
        to_itself: name -> distance of the turned or mirrored image to itself, over small views'.
        to_others: the same to the other images, over the image's as it is; of two or more images.
        spread: "shift", "scale", "brightness" -> standard deviation over the images, as shares of
            the long side, of log size, of log brightness; of two or more images.
        light_spread: how uneven the light gets, see `light.light_spread`.
    """

    num_images: int
    lone: float
    held: float
    grain: Grain
    axis_deg: float | None
    askew: float
    to_itself: dict[str, float]
    to_others: dict[str, float]
    spread: dict[str, float]
    light_spread: float

    def as_dict(self) -> dict[str, object]:
        """JSON-able, for the manifest; rounded for people."""

        def rounded(values: dict[str, float]) -> dict[str, float]:
            return {name: round(value, 3) for name, value in values.items()}

        return {
            "num_images": self.num_images,
            "lone": round(self.lone, 2),
            "held": round(self.held, 2),
            "askew": round(self.askew, 2),
            "axis_deg": self.axis_deg,
            "grain": {
                "coherence": round(self.grain.coherence, 3),
                "angle_deg": round(self.grain.angle_deg, 1),
            },
            "to_itself": rounded(self.to_itself),
            "to_others": rounded(self.to_others),
            "spread": rounded(self.spread),
        }

    @property
    def is_part(self) -> bool:
        """Whether most of the images show a lone part."""
        return self.lone > 0.5

    @property
    def is_held(self) -> bool:
        """Whether most of the parts reach the frame or are not alone."""
        return self.held > 0.5


@dataclass(frozen=True, eq=False)
class Seen:
    """One image as it is looked at.

    Attributes:
        image: the whole image, (3, H, W).
        middle: of the lone part in shares of width and height; None without a part.
        size: log of the part's radius as a share of the image's long side.
        is_free: whether the part lies whole and free on its ground.
        axis_deg: the part's mirror axis, in [0, 180); None without a part.
        patches: name of a turn or mirror image, "" for none -> features of the part's patches, or
            of the image's, (P, F).
        to_itself: as in `Evidence`.
    """

    image: Tensor
    middle: tuple[float, float] | None
    size: float
    is_free: bool
    axis_deg: float | None
    patches: dict[str, Tensor]
    to_itself: dict[str, float]


def distinct(images: Tensor) -> Tensor:
    """The images (k, 3, H, W) without those that show the same picture as an earlier one."""
    kept: list[int] = []
    for number in range(len(images)):
        same = (float((images[number] - images[n]).abs().mean()) for n in kept)
        if all(difference >= SAME_PICTURE for difference in same):
            kept.append(number)
    return images[kept]


def evidence_of(images: Tensor, features: PatchFeatures) -> Evidence:
    """What the good images (k, 3, H, W) say, H and W multiples of 32."""
    return gathered([look_at(image, features) for image in distinct(images)], features)


def gathered(seen: Sequence[Seen], features: PatchFeatures) -> Evidence:
    """What images say together, each looked at already, no picture twice."""
    parts = [s for s in seen if s.middle is not None]
    is_part = 2 * len(parts) > len(seen)
    alike = parts if is_part else [s for s in seen if s.middle is None] or seen
    axes = [part.axis_deg for part in parts if part.axis_deg is not None]
    images = torch.stack([s.image for s in seen])
    return Evidence(
        num_images=len(seen),
        lone=len(parts) / len(seen),
        held=sum(not part.is_free for part in parts) / max(1, len(parts)),
        grain=grain_of(images),
        axis_deg=axes[0] if len(seen) == len(axes) == 1 else None,
        askew=sum(_is_askew(axis) for axis in axes) / max(1, len(axes)),
        to_itself={name: float(np.median([s.to_itself[name] for s in alike])) for name in PROBES},
        to_others=_to_others(alike),
        spread=_spreads(images, parts if is_part else []),
        light_spread=light_spread(images, features),
    )


def _is_askew(axis_deg: float) -> bool:
    return abs((axis_deg + 45.0) % 90.0 - 45.0) > ALIGNED_WITHIN_DEG


@torch.no_grad()
def look_at(image: Tensor, features: PatchFeatures) -> Seen:
    """One good image (3, H, W), H and W multiples of 32."""
    mask = lone_part_mask(image.cpu())
    if mask is None:
        view = _Viewed(image, torch.ones_like(image[0]), "mirror")
        patches, to_itself = _compared(view, features)
        return Seen(image, None, 0.0, False, None, patches, to_itself)
    free = free_part_mask(image.cpu())
    if free is not None:
        # (h, w) at the image's size
        mask = F.interpolate(free[0][None, None].float(), mask.shape)[0, 0] > 0.5
    cut, middle, size = _cut_out(image, mask.to(image.device))
    patches, to_itself = _compared(cut, features)
    axis_deg = mirror_axis_deg(cut.pixels.cpu(), cut.mask.cpu() > 0.5)
    return Seen(image, middle, size, free is not None, axis_deg, patches, to_itself)


@dataclass(frozen=True, eq=False)
class _Viewed:
    """What is turned and mirrored: pixels (3, H, W), where the part is in them (H, W), the fill."""

    pixels: Tensor
    mask: Tensor
    fill: str


def _cut_out(image: Tensor, mask: Tensor) -> tuple[_Viewed, tuple[float, float], float]:
    """The part's square at PART_PX; where it reaches beyond the image, the edge is drawn out.

    Returns:
        The square, the part's middle in shares of width and height, the log of its radius.
    """
    height, width = mask.shape
    ys, xs = (axis.float() + 0.5 for axis in mask.nonzero(as_tuple=True))
    x, y = float(xs.mean()), float(ys.mean())
    radius = float(torch.hypot(xs - x, ys - y).quantile(ALL_BUT_STRAY))
    steps = (1 + PART_MARGIN) * radius * _from_middle(PART_PX, image.device)
    down, across = torch.meshgrid(y + steps, x + steps, indexing="ij")
    grid = torch.stack([2 * across / width - 1, 2 * down / height - 1], dim=-1)[None]
    layers = torch.cat([image, mask[None].float()])[None]
    cut = F.grid_sample(layers, grid, padding_mode="border", align_corners=False)[0]
    part = _Viewed(cut[:3], dilated(cut[3] > 0.5, 2).float(), "edge")
    return part, (x / width, y / height), math.log(radius / max(height, width))


def _from_middle(count: int, device: torch.device) -> Tensor:
    """Where the middles of so many pixels lie, from -1 to 1, (count,)."""
    return 2 * (torch.arange(count, device=device) + 0.5) / count - 1


def _compared(
    viewed: _Viewed, features: PatchFeatures
) -> tuple[dict[str, Tensor], dict[str, float]]:
    """Patches as it is and through each probe, and each probe's distance to the image itself."""
    rng = np.random.default_rng(0)
    small = [draw_view(frozenset(), rng) for _ in range(NUM_SMALL_VIEWS)]
    half = NUM_SMALL_VIEWS // 2
    patches = {"": _patches(viewed, (View(),), features)}
    bank = torch.cat([patches[""], _patches(viewed, small[:half], features)])
    jitter = _distances(_patches(viewed, small[half:], features), bank)
    patches |= {name: _patches(viewed, views, features) for name, views in PROBES.items()}
    return patches, {name: _ratio(_distances(patches[name], bank), jitter) for name in PROBES}


def _to_others(seen: Sequence[Seen]) -> dict[str, float]:
    """Per probe: the images' distance to the others, over that of the images as they are."""
    if len(seen) < 2:
        return {}
    totals = {name: torch.zeros(2) for name in ("", *PROBES)}
    for number, one in enumerate(seen):
        others = [s.patches[""] for n, s in enumerate(seen) if n != number][:MOST_OTHERS]
        for name in totals:
            totals[name] += _distances(one.patches[name], torch.cat(others))
    return {name: _ratio(totals[name], totals[""]) for name in PROBES}


def _patches(viewed: _Viewed, views: Iterable[View], features: PatchFeatures) -> Tensor:
    """Features of the part's patches as the views show it, (N, F)."""
    size = (viewed.pixels.shape[-1], viewed.pixels.shape[-2])
    found = []
    for view in views:
        filled = replace(view, fill=viewed.fill)
        shown = apply_view(viewed.pixels, filled, size)
        mask = moved(viewed.mask[None], filled, size, keep_energy=False)
        covered = F.avg_pool2d(mask, features.patch_stride).flatten() > 0.5
        found.append(features.patches(shown[None])[0][covered])
    return torch.cat(found)


@torch.no_grad()
def _distances(patches: Tensor, bank: Tensor) -> Tensor:
    """Distances of the patches (P, F) to their nearest in the bank (N, F): mean and 99 %, (2,).

    The mean speaks for the whole, the tail for small marks such as print, which must not turn.
    """
    nearest, _ = nearest_distances(patches, bank)
    return torch.stack([nearest.mean(), nearest.quantile(0.99)]).cpu()


def _ratio(probed: Tensor, plain: Tensor) -> float:
    """The worse of the two ratios, mean to mean and tail to tail."""
    return float((probed / plain.clamp_min(1e-9)).max())


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
