"""One good image as the decision about views looks at it.

A lone part is looked at by itself, cut out as a square about its middle, so that neither its place
nor its ground speaks; any other image is looked at as a whole. Turned and mirrored, it is compared
with itself by EfficientNet's patch features: does it show at all?

Axes: H x W pixels, P patches, F features; images in [0, 1].
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.features.nearest import nearest_distances
from models.features.patches import PatchFeatures
from models.views.decision.mirror_axis import MirrorAxis, mirror_axis
from models.views.showing.free_part import free_part_mask
from models.views.showing.mask_shapes import dilated
from models.views.showing.part_mask import lone_part_mask, main_part
from models.views.showing.resampling import resampled
from models.views.showing.warp import apply_view, moved
from models.views.view import PROBED_LIMITS, View, draw_view

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
NUM_SMALL_VIEWS = 8


@dataclass(frozen=True, eq=False)
class Seen:
    """One image as it is looked at.

    Attributes:
        image: the whole image, (3, H, W).
        middle: of the lone part in shares of width and height; None without a part.
        size: log of the root of the part's area as a share of the image's long side.
        is_free: whether the part lies whole and free on its ground.
        at_frame: whether it hangs on something or runs out of the picture.
        axis: the part's mirror axis; None without a part.
        elongation: how many times as long as wide the part is; 1 without a part.
        patches: name of a turn or mirror image, "" for none -> features of the part's patches, or
            of the image's, (P, F).
        to_itself: as in `Evidence`.
        detail: the image in grey and as fine as `hand.py` wants it, (h, w).
        cut: the part's square, (3, PART_PX, PART_PX); None without a part.
    """

    image: Tensor
    middle: tuple[float, float] | None
    size: float
    is_free: bool
    at_frame: bool
    axis: MirrorAxis | None
    elongation: float
    patches: dict[str, Tensor]
    to_itself: dict[str, float]
    detail: Tensor
    cut: Tensor | None = None


@torch.no_grad()
def look_at(image: Tensor, features: PatchFeatures, detail: Tensor | None = None) -> Seen:
    """One good image (3, H, W), H and W multiples of 32; `detail` is its own, if it is finer."""
    detail = image.mean(dim=0) if detail is None else detail
    free = free_part_mask(image.cpu())
    mask = lone_part_mask(image.cpu())
    if free is not None:
        # (h, w) at the image's size, its middle where it was
        mask = resampled(free[0][None].float(), (image.shape[-1], image.shape[-2]))[0] > 0.5
    if mask is None:
        view = _Viewed(image, torch.ones_like(image[0]), "mirror")
        patches, to_itself = _compared(view, features)
        return Seen(image, None, 0.0, False, False, None, 1.0, patches, to_itself, detail)
    cut, middle, size = _cut_out(image, mask.to(image.device))
    patches, to_itself = _compared(cut, features)
    axis = mirror_axis(cut.pixels.cpu(), cut.mask.cpu() > 0.5)
    found = main_part(image.cpu()) if free is None else None
    at_frame = found is not None and found.reaches_frame
    return Seen(
        image,
        middle,
        size,
        free is not None,
        at_frame,
        axis,
        _elongation(mask),
        patches,
        to_itself,
        detail,
        cut.pixels,
    )


@dataclass(frozen=True, eq=False)
class _Viewed:
    """What is turned and mirrored: pixels (3, H, W), where the part is in them (H, W), the fill."""

    pixels: Tensor
    mask: Tensor
    fill: str


def _cut_out(image: Tensor, mask: Tensor) -> tuple[_Viewed, tuple[float, float], float]:
    """The part's square at PART_PX; where it reaches beyond the image, the edge is drawn out.

    Returns:
        The square, the part's middle in shares of width and height, its size as in `Seen`.
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
    side = math.sqrt(len(xs))
    return part, (x / width, y / height), math.log(side / max(height, width))


def _elongation(mask: Tensor) -> float:
    """Ratio of the deviations of the pixels' places along and across (H, W), 1 at least."""
    places = mask.nonzero().float().T
    across, along = torch.linalg.eigvalsh(torch.cov(places)).clamp_min(1e-6).tolist()
    return math.sqrt(along / across)


def _from_middle(count: int, device: torch.device) -> Tensor:
    """Where the middles of so many pixels lie, from -1 to 1, (count,)."""
    return 2 * (torch.arange(count, device=device) + 0.5) / count - 1


def _compared(
    viewed: _Viewed, features: PatchFeatures
) -> tuple[dict[str, Tensor], dict[str, float]]:
    """Patches as it is and through each probe, and each probe's distance to the image itself."""
    rng = np.random.default_rng(0)
    small = [draw_view(frozenset(), rng, limits=PROBED_LIMITS) for _ in range(NUM_SMALL_VIEWS)]
    half = NUM_SMALL_VIEWS // 2
    patches = {"": _patches(viewed, (View(),), features)}
    bank = torch.cat([patches[""], _patches(viewed, small[:half], features)])
    jitter = distances(_patches(viewed, small[half:], features), bank)
    patches |= {name: _patches(viewed, views, features) for name, views in PROBES.items()}
    return patches, {name: ratio(distances(patches[name], bank), jitter) for name in PROBES}


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
def distances(patches: Tensor, bank: Tensor) -> Tensor:
    """Distances of the patches (P, F) to their nearest in the bank (N, F): mean and 99 %, (2,).

    The mean speaks for the whole, the tail for small marks such as print, which must not turn.
    """
    nearest, _ = nearest_distances(patches, bank)
    return torch.stack([nearest.mean(), nearest.quantile(0.99)]).cpu()


def ratio(probed: Tensor, plain: Tensor) -> float:
    """The worse of the two ratios, mean to mean and tail to tail."""
    return float((probed / plain.clamp_min(1e-9)).max())
