"""Where a part lies on a plain ground, and what is along the picture's frame.

Axes: H x W pixels; images (3, H, W) in [0, 1]; masks (H, W) bool.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from models.views.showing.mask_shapes import filled, grown_within, largest_piece, majority

ERODED_PX = 7
# A part whose outline is sought at this long side, whatever the image's size.
MASK_PX = 256
LEAST_MASK_PX = 32
# What holds a part (a wire, the frame itself) differs from the ground by this share or more.
HELD_SHARE = 0.85
# A plain frame shows nothing but ground, or a wire besides: all else is no more of it than this,
# and along its outermost line pixels differ from those around them by no more than that. Measured:
# wires .002, cut parts and walls .013 to .3; plain grounds .000 to .005, others .014 to .04.
MOST_ON_FRAME, MOST_ROUGH = 0.01, 0.008
ALONG_PX = 4


def lone_part_mask(image: Tensor, factor: float = 1.0) -> Tensor | None:
    """Where a lone part lies on a plain ground, (H, W) bool; None when there is no such part.

    The ground's colour is the median along the frame. The part must cover 5 to 80 % of the image,
    leave at least 80 % of the frame free, and be compact: lines, such as mortar between bricks,
    vanish when their rims are taken off, a part does not. It differs from the ground by `factor`
    times what is usual or more.
    """
    contrast, threshold, frame = _contrast(image)
    mask = contrast > factor * threshold
    share, on_frame = float(mask.float().mean()), float(mask[frame].float().mean())
    inner = -F.max_pool2d(-majority(mask).float()[None], ERODED_PX, 1, ERODED_PX // 2)
    compact = float(inner.sum()) >= 0.5 * float(mask.sum())
    return mask if 0.05 <= share <= 0.8 and on_frame <= 0.2 and compact else None


def has_plain_frame(image: Tensor) -> bool:
    """Whether the frame of the image (3, H, W) shows plain ground: its lines can be drawn out."""
    small = at_mask_size(image)
    contrast, threshold, frame = _contrast(small)
    along = torch.cat(
        [small[:, 0], small[:, :, -1], small[:, -1].flip(-1), small[:, :, 0].flip(-1)], dim=-1
    )
    padded = F.pad(along[None], (ALONG_PX, ALONG_PX), mode="circular")
    rough = (along - F.avg_pool1d(padded, 2 * ALONG_PX + 1, 1)[0]).abs().mean()
    on_frame = (contrast > threshold)[frame].float().mean()
    return bool(on_frame <= MOST_ON_FRAME) and bool(rough <= MOST_ROUGH)


class MainPart(NamedTuple):
    """The largest piece of what differs from the ground, at MASK_PX; all (h, w).

    Attributes:
        contrast: how far each pixel is from the ground's colour, in [0, 1].
        threshold: from so much of it on it is the part.
        mask: the part, without holes.
        held: with what holds it, such as a wire.
        frame: where the picture's frame is.
    """

    contrast: Tensor
    threshold: float
    mask: Tensor
    held: Tensor
    frame: Tensor

    @property
    def reaches_frame(self) -> bool:
        """Whether it hangs on something, or runs out of the picture, or its shadow does."""
        return bool((self.held & self.frame).any())


def main_part(image: Tensor, factor: float = 1.0) -> MainPart | None:
    """The part in the image (3, H, W), by a threshold so many times as high as is usual, if any."""
    small = at_mask_size(image)
    if lone_part_mask(small, factor) is None:
        return None
    contrast, threshold, frame = _contrast(small)
    threshold *= factor
    part = filled(largest_piece(majority(contrast > threshold)))
    # A wire is thin: what reaches the frame is sought before single pixels are taken out.
    held = grown_within(part, (contrast > HELD_SHARE * threshold) | part)
    return MainPart(contrast, threshold, part, held, frame)


def at_mask_size(image: Tensor) -> Tensor:
    """The image with MASK_PX on the long side, or LEAST_MASK_PX on the short one."""
    height, width = image.shape[-2:]
    factor = max(MASK_PX / max(height, width), LEAST_MASK_PX / min(height, width))
    size = [round(side * factor) for side in (height, width)]
    return F.interpolate(image[None], size, mode="bilinear", antialias=True)[0]


def _contrast(image: Tensor) -> tuple[Tensor, float, Tensor]:
    """How far each pixel is from the ground's colour, what counts as the part, and the frame."""
    height, width = image.shape[-2:]
    edge = max(2, min(height, width) // 32)
    frame = torch.ones(height, width, dtype=torch.bool, device=image.device)
    frame[edge:-edge, edge:-edge] = False
    ground = image[:, frame].median(dim=1).values
    contrast = (image - ground[:, None, None]).abs().amax(dim=0)
    return contrast, max(0.08, 0.35 * float(contrast.flatten().quantile(0.98))), frame
