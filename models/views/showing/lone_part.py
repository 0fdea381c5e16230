"""A lone part taken off its ground, so that the part turns while ground, camera and lamp stay.

The ground under the part is continued: its slow change as a membrane across the hole, its grain
from tiles of the ground itself. The part is laid over it with a soft outline; what lies near it
(shadow, glow) goes along as its difference from the ground. A part is never laid so that the frame
cuts it.

Axes: H x W pixels of the image, h x w of the mask (`part_mask.MASK_PX` on the long side).
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from models.views.showing.free_part import free_part_mask
from models.views.showing.mask_shapes import dilated
from models.views.showing.warp import moved, whole_pixels
from models.views.view import View

# Widths of the band of ground that goes along with a part and of its fading, in px of the mask.
BAND_PX, FADE_PX = 3, 5
# The outline of the part itself, in px of the mask.
SOFT_PX = 2
# A part whose pixels differ from the ground by less, in the median, is seen through or as bright.
# Measured: lenses .04 to .06, metal on grey .18 and more.
LIKE_GROUND = 0.08
# Slow is what a blur of this radius in px of the mask leaves.
SLOW_PX = 9
MEMBRANE_STEPS = 200
# Grain is laid in tiles of this share of the long side, half of each overlapping the next.
TILE_SHARE = 1 / 16
LEAST_TILE_PX = 8
MAX_TILES = 64
# Tiles that hold more than grain (a speck, an edge of the ground) deviate more than this one does.
QUIET_QUANTILE = 0.5
# What is kept free at the frame, and the angles tried where a turned part would not fit.
MARGIN = 0.015
TRIED_STEP_DEG = 2.0


@dataclass(frozen=True, eq=False)
class LonePart:
    """A part apart from its ground.

    Attributes:
        masks: the part, and the part with its near shadow, both (h, w) bool.
        core: where the part itself is, (1, h, w) in [0, 1], soft at the outline; 0 of one that is
            like its ground.
        near: where part and shadow are, (1, h, w) in [0, 1], fading out.
        slow: the ground's slow change, under the part too, (3, h, w).
        ground: the whole ground without the part, (3, H, W) uint8.
        outline: points around the part, (N, 2) as (x, y) in shares of width and height.
    """

    masks: tuple[Tensor, Tensor]
    core: Tensor
    near: Tensor
    slow: Tensor
    ground: Tensor
    outline: Tensor

    @classmethod
    def find(cls, image: Tensor, *, told: bool = False) -> "LonePart | None":
        """The part in the image (3, H, W) in [0, 1]; None where none lies free on its ground.

        `told` as of `free_part_mask`.
        """
        masks = free_part_mask(image.cpu(), told=told)
        return None if masks is None else cls.off_ground(image, *masks)

    def at(self, image: Tensor) -> "LonePart":
        """The same part in the same image at another size, (3, H, W) in [0, 1]."""
        return self.off_ground(image, *self.masks)

    @classmethod
    def off_ground(cls, image: Tensor, *masks: Tensor) -> "LonePart":
        """The part of the image by its masks (h, w) bool: the part, and with its near shadow."""
        part, mask = (m.to(image.device) for m in masks)
        hole = dilated(mask, BAND_PX + FADE_PX)
        small = F.interpolate(image[None], mask.shape, mode="bilinear", antialias=True)[0]
        slow = _slow_ground(small, ~hole)
        grain = _continued_grain(
            image - _enlarged(slow, image), _enlarged(hole[None].float(), image)
        )
        ground = (_enlarged(slow, image) + grain).clamp(0.0, 1.0)
        # What is as bright as its ground is lit as that is: its difference from it goes along.
        is_other = (small - slow).abs().amax(dim=0)[part].median() >= LIKE_GROUND
        # All that is made up lies where `near` is 1: a part that stays hides it.
        near = dilated(hole, 2 * FADE_PX)
        # A shadow may run out of the picture.
        whole = part if _touches_frame(mask) else mask
        ys, xs = (whole & dilated(~whole, 1)).nonzero(as_tuple=True)
        sides = torch.tensor([mask.shape[1], mask.shape[0]])
        return cls(
            masks=(part, mask),
            core=_blurred((dilated(part, 1) & is_other)[None].float(), SOFT_PX),
            near=_blurred(near[None].float(), FADE_PX) * _fading_at_frame(mask),
            slow=slow,
            ground=(ground * 255).round().byte(),
            outline=(torch.stack([xs, ys], dim=1).cpu() + 0.5) / sides,
        )

    def shown(self, image: Tensor, view: View, size: tuple[int, int]) -> Tensor:
        """The part as the view moves it, on its ground that stays, (3, H, W), not re-lit.

        `size` (width, height) is what it is to be shown at.
        """
        core, near = _enlarged(self.core, image), _enlarged(self.near, image)
        slow, ground = _enlarged(self.slow, image), self.ground.float() / 255.0
        part = moved(image, view, size)
        layers = torch.cat([core, near, slow])
        core, near, slow_below = (
            t.clamp(0.0, 1.0) for t in moved(layers, view, size, keep_energy=False).split([1, 1, 3])
        )
        beside = slow + near * (part - slow_below) + (1 - near) * (ground - slow)
        return core * part + (1 - core) * beside

    def placed(self, view: View, size: tuple[int, int]) -> View:
        """The view turned and scaled about the part's own middle, and the part kept in the frame.

        Where the turned part does not fit, the nearest angle at which it does is taken, and where
        there is none, it stays as it lies. `size` (width, height) is the image's own, in px.
        """
        for step in range(int(90.0 / TRIED_STEP_DEG) + 1):
            for sign in (1, -1) if step else (1,):
                turned = replace(view, angle_deg=view.angle_deg + sign * step * TRIED_STEP_DEG)
                inside = self._inside(turned, size)
                if inside is not None:
                    return inside
        return replace(view, angle_deg=0.0, scale=1.0, shift_x=0.0, shift_y=0.0)

    def _inside(self, view: View, size: tuple[int, int]) -> View | None:
        """The view with a shift at which the whole part shows; None where there is none."""
        sides = torch.tensor(size, dtype=torch.float64)
        points = (self.outline.double() - 0.5) * sides  # from the frame's middle, in px
        middle = (points.amin(dim=0) + points.amax(dim=0)) / 2
        turn = _turn(view)  # of what is shown, about the middle
        turned = (points - middle) @ turn.T
        wish = middle - torch.tensor([view.shift_x, view.shift_y], dtype=torch.float64) * sides
        least = -sides * (0.5 - MARGIN) - turned.amin(dim=0)
        most = sides * (0.5 - MARGIN) - turned.amax(dim=0)
        if bool((least > most).any()):
            # What lies so near to the frame already may stay where it is.
            if view.angle_deg or view.scale > 1.0 or view.flip_horizontal or view.flip_vertical:
                return None
            least = most = middle
        place = torch.minimum(torch.maximum(wish, least), most)
        # A view reads at A x + shift: what lay in the part's middle is to show at `place`.
        shift = (middle - torch.linalg.inv(turn) @ place) / sides
        view = replace(view, shift_x=float(shift[0]), shift_y=float(shift[1]))
        still = view.angle_deg == 0.0 and view.scale == 1.0
        return whole_pixels(view, size) if still else view


def _turn(view: View) -> Tensor:
    """Where a point of the image, from its middle, shows in the view, in px, (2, 2)."""
    angle = math.radians(view.angle_deg)
    mirror = torch.diag(
        torch.tensor(
            [-1.0 if flip else 1.0 for flip in (view.flip_horizontal, view.flip_vertical)],
            dtype=torch.float64,
        )
    )
    cos, sin = math.cos(angle), math.sin(angle)
    read = mirror @ torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64) / view.scale
    return torch.linalg.inv(read)


def _enlarged(small: Tensor, image: Tensor) -> Tensor:
    """A smooth (C, h, w) at the image's size."""
    size = image.shape[-2:]
    return F.interpolate(small[None], size, mode="bilinear", align_corners=False)[0]


def _blurred(x: Tensor, radius: int) -> Tensor:
    """Two box blurs of this radius of (C, h, w), edges replicated."""
    width = 2 * radius + 1
    for _ in range(2):
        # A square's mean is that of its rows' means, for a fraction of the work.
        x = F.pad(x[None], (radius,) * 4, mode="replicate")[0]
        x = F.avg_pool2d(F.avg_pool2d(x, (1, width), 1), (width, 1), 1)
    return x


def _touches_frame(mask: Tensor) -> bool:
    return bool(mask[[0, -1]].any() | mask[:, [0, -1]].any())


def _fading_at_frame(mask: Tensor) -> Tensor:
    """1 within, 0 at the frame, (h, w): a shadow that runs out of the picture ends softly."""
    height, width = mask.shape
    steps = [torch.arange(n, device=mask.device) for n in (height, width)]
    down, across = (
        (torch.minimum(s, s.flip(0)).float() / (2 * FADE_PX)).clamp_max(1.0) for s in steps
    )
    return down[:, None] * across[None, :]


def _slow_ground(image: Tensor, known: Tensor) -> Tensor:
    """The slow part of the image (3, h, w) where it is known, continued as a membrane elsewhere."""
    weight = known[None].float()
    slow = _blurred(image * weight, SLOW_PX) / _blurred(weight, SLOW_PX).clamp_min(1e-6)
    filled = _pulled(image * weight, weight)
    slow = torch.where(known, slow, filled)
    for _ in range(MEMBRANE_STEPS):
        slow = torch.where(known, slow, _mean_around(slow))
    return slow


def _mean_around(x: Tensor) -> Tensor:
    """The mean of each pixel and its eight neighbours in (C, h, w), edges replicated.

    To the bit what a pooling gives, which walks from pixel to pixel and takes many times as long.
    """
    height, width = x.shape[-2:]
    padded = F.pad(x[None], (1,) * 4, mode="replicate")[0]
    near = [padded[:, y : y + height, z : z + width] for y in range(3) for z in range(3)]
    total = near[0] + near[1]
    for shifted in near[2:]:
        total += shifted
    return total / 9


def _pulled(weighted: Tensor, weight: Tensor) -> Tensor:
    """A first filling, (C, h, w): what is unknown takes the mean of the nearest coarser level."""
    mean = weighted / weight.clamp_min(1e-6)
    if min(weight.shape[-2:]) < 2 or bool((weight > 0).all()):
        return mean
    coarse = _pulled(*(F.avg_pool2d(t[None], 2, ceil_mode=True)[0] for t in (weighted, weight)))
    return torch.where(weight > 0, mean, _enlarged(coarse, weight))


def _continued_grain(residual: Tensor, hole: Tensor) -> Tensor:
    """The ground's grain (3, H, W), in the hole (1, H, W) from tiles of what lies outside it."""
    height, width = residual.shape[-2:]
    known = hole[0] <= 0
    tile = int(min(TILE_SHARE * max(height, width), height, width))
    tile = max(LEAST_TILE_PX, tile // 4 * 4)
    tiles = _quiet_tiles(residual * known, known, tile)
    if tiles is None:
        return residual * known
    generator = torch.Generator().manual_seed(0)
    half = tile // 2
    rows, columns = -(-height // half) + 1, -(-width // half) + 1
    choice = torch.randint(len(tiles), (rows * columns,), generator=generator)
    # Windows whose squares add up to 1: noise keeps its deviation where tiles overlap.
    window = torch.sin(math.pi * (torch.arange(tile) + 0.5) / tile).to(residual)
    laid = tiles[choice.to(residual.device)] * (window[:, None] * window[None, :])
    whole = ((rows + 1) * half, (columns + 1) * half)
    grain = F.fold(laid.flatten(1).T[None], whole, tile, stride=half)[0]
    return torch.where(known, residual, grain[:, half : half + height, half : half + width])


def _quiet_tiles(residual: Tensor, known: Tensor, tile: int) -> Tensor | None:
    """Up to MAX_TILES tiles of known ground that hold grain alone, (N, 3, tile, tile)."""
    step = max(1, tile // 4)
    free = F.avg_pool2d(known[None].float(), tile, step)[0].flatten() == 1
    if not bool(free.any()):
        return None if tile <= LEAST_TILE_PX else _smaller_tiles(residual, known, tile)
    # (N, 3, tile, tile)
    cut = F.unfold(residual[None], tile, stride=step)[0].T[free].view(-1, 3, tile, tile)
    cut = cut - cut.mean(dim=(2, 3), keepdim=True)
    deviation = cut.flatten(1).std(dim=1)
    quiet = cut[deviation <= deviation.quantile(QUIET_QUANTILE)]
    chosen = torch.linspace(0, len(quiet) - 1, min(MAX_TILES, len(quiet))).long()
    return quiet[chosen.to(quiet.device)]


def _smaller_tiles(residual: Tensor, known: Tensor, tile: int) -> Tensor | None:
    """Tiles of half the side, laid four together, (N, 3, tile, tile)."""
    tiles = _quiet_tiles(residual, known, tile // 2)
    return None if tiles is None else tiles.repeat(1, 1, 2, 2)
