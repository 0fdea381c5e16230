"""Shows an image through a view: moved, turned, mirrored, scaled and re-lit.

How an image is resampled decides more than where it is moved: one bilinear warp takes a fine
texture out of what the line makes. So nothing is interpolated that need not be (a shift goes by
whole pixels, a mirror image and quarter turns exchange pixels), the rest is read from an image at
least twice as fine as what is shown, where a cubic loses nothing, and reduced once.

Axes: H0 x W0 pixels of the image, H x W of what is shown; images (3, H, W) in [0, 1].
"""

import math
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from models.views.showing.relight import relight
from models.views.showing.resampling import lost_sharpness, resampled, sharpened
from models.views.view import View

# What is warped is at least so many times as fine as what is shown.
FINENESS = 2
# Moved by so much, an image loses what a warp takes in the mean over all fractions of a pixel. The
# root mean square of these is 1 / sqrt(12); where a view's own is less, so is what it takes.
PROBED_PX = 0.19
# A view's fractions of a pixel are looked at in every so many columns and rows.
EVERY_PX = 7
PADDINGS = {"mirror": "reflection", "ground": "border"}
# At a part that reaches the frame a little of it stands mirrored: grain that is drawn out turns to
# streaks. A wide strip would show a second piece.
MOST_MIRRORED_DEG, MOST_MIRRORED = 5.0, 0.05


def apply_view(image: Tensor, view: View, size: tuple[int, int]) -> Tensor:
    """The image (3, H0, W0) in [0, 1] as the view shows it, (3, height, width) in [0, 1].

    A shift alone is rounded to whole pixels of the image.
    """
    shown = resampled(moved(image, view, size), size)
    return relight(shown.clamp(0.0, 1.0), view)


def moved(image: Tensor, view: View, size: tuple[int, int], *, keep_energy: bool = True) -> Tensor:
    """The image (C, H0, W0) moved, turned, mirrored and scaled at its own size, (C, H0, W0).

    `size` (width, height) is what it is to be shown at. `keep_energy` gives back the gradient
    energy that the warp takes, which a mask does not need.
    """
    quarter_turns = round(view.angle_deg / 90.0)
    fits = quarter_turns % 2 == 0 or image.shape[-2] == image.shape[-1]
    if view.scale == 1.0 and view.angle_deg == 90.0 * quarter_turns and fits:
        return _exchanged(image, view, quarter_turns)
    height, width = image.shape[-2:]
    fine = image
    if keep_energy and min(width / size[0], height / size[1]) < FINENESS:
        fine = resampled(image, (FINENESS * width, FINENESS * height))

    def grid_of(view: View) -> Tensor:
        theta = _theta(view, width / height).to(image)[None]
        return F.affine_grid(theta, [1, image.shape[0], height, width], align_corners=False)

    def read(grid: Tensor) -> Tensor:
        padding = PADDINGS[_fill(view)]
        return F.grid_sample(
            fine[None], grid, mode="bicubic", padding_mode=padding, align_corners=False
        )[0]

    grid = grid_of(view)
    if not keep_energy:
        return read(grid)
    x_px, y_px = _probed_px(grid[0], (width, height))
    beside = View(shift_x=x_px / width, shift_y=y_px / height, fill=view.fill)
    return sharpened(read(grid), lost_sharpness(image, read(grid_of(beside)), size))


def within(view: View, size: tuple[int, int], shown: tuple[int, int]) -> Tensor:
    """Where a view of an image of `size` (width, height) shows the image's own pixels.

    Returns:
        (height, width) bool of what is `shown`, false where it looks beyond the image's edge.
    """
    theta = _theta(view, size[0] / size[1])[None]
    width, height = shown
    grid = F.affine_grid(theta, [1, 1, height, width], align_corners=False)[0]
    # To the outer edge of the image's outermost pixels.
    return (grid.abs() <= 1.0 + 1e-6).all(dim=-1)


def _probed_px(grid: Tensor, size: tuple[int, int]) -> tuple[float, float]:
    """How far an image is moved to lose as much as by being read at a grid, in x and y, in px.

    Args:
        grid: where the image is read, (H, W, 2) in [-1, 1], x first.
        size: (width, height) of the image, in px.
    """
    read = grid[::EVERY_PX, ::EVERY_PX].reshape(-1, 2).cpu().double()
    at_px = ((read + 1) * torch.tensor(size, dtype=torch.float64) - 1) / 2
    off_px = (at_px - at_px.round()).square().mean(dim=0).sqrt()  # (2,)
    x, y = (PROBED_PX * math.sqrt(12) * off_px).clamp_max(PROBED_PX).tolist()
    return x, y


def _exchanged(image: Tensor, view: View, quarter_turns: int) -> Tensor:
    """The image shifted, mirrored and turned by quarters, pixel by pixel."""
    height, width = image.shape[-2:]
    brought_in = _mirrored if _fill(view) == "mirror" else _clamped
    columns, rows = (
        brought_in(torch.arange(count, device=image.device) + round(shift * count), count)
        for count, shift in ((width, view.shift_x), (height, view.shift_y))
    )
    shifted = image[:, rows][:, :, columns] if view.shift_x or view.shift_y else image
    flipped = [a for a, flip in ((2, view.flip_horizontal), (1, view.flip_vertical)) if flip]
    shifted = shifted.flip(flipped) if flipped else shifted
    return torch.rot90(shifted, quarter_turns, (1, 2)) if quarter_turns else shifted


def _fill(view: View) -> str:
    """What stands beyond the image's edge, "mirror" or "ground"."""
    if view.fill == "edge":
        return "ground" if looks_far_out(view) else "mirror"
    return view.fill


def looks_far_out(view: View) -> bool:
    """Whether it looks farther beyond the image's edge than a narrow strip."""
    shift = max(abs(view.shift_x), abs(view.shift_y))
    return abs(view.angle_deg) > MOST_MIRRORED_DEG or shift > MOST_MIRRORED


def _theta(view: View, aspect: float) -> Tensor:
    """Output to input coordinates, both in [-1, 1], (2, 3); turning happens in square pixels."""
    angle = math.radians(view.angle_deg)
    cos, sin = math.cos(angle) / view.scale, math.sin(angle) / view.scale
    mirror_x = -1.0 if view.flip_horizontal else 1.0
    mirror_y = -1.0 if view.flip_vertical else 1.0
    return torch.tensor(
        [
            [mirror_x * cos, -mirror_x * sin / aspect, 2 * view.shift_x],
            [mirror_y * sin * aspect, mirror_y * cos, 2 * view.shift_y],
        ]
    )


def _mirrored(index: Tensor, count: int) -> Tensor:
    """Indices brought into [0, count) by mirroring at the edges, which stand twice."""
    index = index.remainder(2 * count)
    return torch.where(index < count, index, 2 * count - 1 - index)


def _clamped(index: Tensor, count: int) -> Tensor:
    """Indices brought into [0, count) by drawing the edges out."""
    return index.clamp(0, count - 1)


def whole_pixels(view: View, size: tuple[int, int]) -> View:
    """The view with its shift rounded to whole pixels of an image of `size` (width, height)."""
    width, height = size
    return replace(
        view,
        shift_x=round(view.shift_x * width) / width,
        shift_y=round(view.shift_y * height) / height,
    )
