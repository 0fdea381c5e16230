"""Where a part lies on a plain ground, and whether it lies there alone, whole and free.

Axes: H x W pixels; images (3, H, W) in [0, 1]; masks (H, W) bool.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

ERODED_PX = 7
# A part whose outline is sought at this long side, whatever the image's size.
MASK_PX = 256
LEAST_MASK_PX = 32
# Shadow and glow that belong to a part differ from the ground by this share of what the part does.
NEAR_SHARE = 0.5
# What holds a part (a wire, the frame itself) differs from the ground by this share or more.
HELD_SHARE = 0.85
REACH_PX, CLOSED_PX = 12, 8
# Anything else on the ground of more than this share of the part: what of it turns is not for us
# to say.
MOST_OF_OTHERS = 0.05
# What lies farther away is another thing.
NEXT_TO_PX = 24
LEAST_SEEN = 0.98
# What is left so of a part, as a share of it: of dark sides .010 to .045 was measured, of faint
# shadows .003 at most.
LEAST_OF_PART = 0.005
# A plain frame shows nothing but ground, or a wire besides: all else is no more of it than this,
# and along its outermost line pixels differ from those around them by no more than that. Measured:
# wires .002, cut parts and walls .013 to .3; plain grounds .000 to .005, others .014 to .04.
MOST_ON_FRAME, MOST_ROUGH = 0.01, 0.008
ALONG_PX = 4
# A part ends in a step of at least this share of the threshold within so many px of its outline,
# a slow change of light does not.
OUTLINE_PX, LEAST_STEP = 6, 0.6


# A rough or unevenly lit ground itself differs from its colour. Where somebody says that a part
# moves, it may be what differs so many times more; less of it than this share is a piece of it.
RAISED = (1.5, 2.0)
LEAST_KEPT = 0.7
# What is narrower than twice this in its rim looks like the ground and is of the part.
NOTCH_PX = 16


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
    inner = -F.max_pool2d(-_majority(mask).float()[None], ERODED_PX, 1, ERODED_PX // 2)
    compact = float(inner.sum()) >= 0.5 * float(mask.sum())
    return mask if 0.05 <= share <= 0.8 and on_frame <= 0.2 and compact else None


def free_part_mask(image: Tensor, *, told: bool = False) -> tuple[Tensor, Tensor] | None:
    """Where a part lies whole and free on its ground, and the same with its near shadow, (h, w).

    At MASK_PX on the long side, or at LEAST_MASK_PX on the short one; holes are filled. None when
    no part is alone, when it reaches the frame (what hangs on a wire or runs out of the picture
    cannot be taken off its ground), or when anything else is seen on the ground (another piece, a
    wall, the rest of the part itself), or when much of the part looks like the ground, so that its
    outline is not sure.

    Args:
        image: (3, H, W) in [0, 1].
        told: somebody who knows the part says that it moves: what is seen elsewhere on the ground
            is not of it, and stays, and on a rough ground it is what stands out most.
    """
    found = _main_part(image)
    free = found and _free(found, told=told)
    if free is None and told and not has_plain_frame(image):
        free = next(
            (masks for factor in RAISED if (masks := _standing_out(image, found, factor))), None
        )
    return free


def _standing_out(
    image: Tensor, found: "_MainPart | None", factor: float
) -> tuple[Tensor, Tensor] | None:
    """The part by a threshold so many times as high; None where that is not free, or a piece of it.

    Its shadow is not told from the ground and stays; a notch in its rim is of the part.
    """
    higher = _main_part(image, factor)
    if higher is None:
        return None
    if found and int((higher.mask & found.mask).sum()) < LEAST_KEPT * int(found.mask.sum()):
        return None
    return _free(higher._replace(mask=_without_notches(higher.mask)), told=True, near_share=1.0)


def _free(
    found: "_MainPart", *, told: bool, near_share: float = NEAR_SHARE
) -> tuple[Tensor, Tensor] | None:
    """The masks of `free_part_mask` of a part that was found."""
    if found.reaches_frame:
        return None
    contrast, threshold, part = found.contrast, found.threshold, found.mask
    seen = _majority(contrast > near_share * threshold) | part
    near = _filled(_grown_within(part, seen & dilated(part, REACH_PX)))
    beside = seen & ~dilated(near, OUTLINE_PX)
    if told:
        beside &= dilated(near, NEXT_TO_PX)
    others = int(beside.sum()) > MOST_OF_OTHERS * int(near.sum())
    unseen = int((seen & near).sum()) < LEAST_SEEN * int(near.sum())
    if others or unseen or _step(contrast, part) < LEAST_STEP * threshold:
        return None
    # A dark side hangs together with the part and goes beyond a shadow's reach: it is of the part.
    whole = _filled(_grown_within(near, seen & dilated(near, NEXT_TO_PX)))
    if int((whole & ~dilated(near, OUTLINE_PX)).sum()) > LEAST_OF_PART * int(near.sum()):
        near = whole
    # What of the part looks like the ground is within it, or a notch in what was seen of it.
    return (part | _closed(part) | ~dilated(~near, REACH_PX)) & near, near


def _closed(mask: Tensor) -> Tensor:
    """The mask with what is narrow between its pixels filled, in squares of CLOSED_PX."""
    return ~dilated(~dilated(mask, CLOSED_PX), CLOSED_PX)


def _without_notches(mask: Tensor) -> Tensor:
    """The mask with what a disc of radius NOTCH_PX does not reach from outside."""
    reach = torch.arange(-NOTCH_PX, NOTCH_PX + 1, device=mask.device)
    disc = (reach[:, None] ** 2 + reach**2 <= NOTCH_PX**2).float()[None, None]
    # Nothing is seen beyond the frame.
    padded = F.pad(mask[None, None].float(), (2 * NOTCH_PX,) * 4)
    outside = (F.conv2d(padded, disc) < 0.5).float()  # where the disc's middle may lie
    return F.conv2d(outside, disc)[0, 0] < 0.5


def reaches_frame(image: Tensor) -> bool:
    """Whether a part is seen that hangs on something or runs out of the picture (3, H, W)."""
    found = _main_part(image)
    return found is not None and found.reaches_frame


def held_part_mask(image: Tensor) -> Tensor | None:
    """The part in the image (3, H, W) with what holds it, (h, w) bool, see `free_part_mask`."""
    found = _main_part(image)
    return None if found is None else found.held


def has_plain_frame(image: Tensor) -> bool:
    """Whether the frame of the image (3, H, W) shows plain ground: its lines can be drawn out."""
    small = _small(image)
    contrast, threshold, frame = _contrast(small)
    along = torch.cat(
        [small[:, 0], small[:, :, -1], small[:, -1].flip(-1), small[:, :, 0].flip(-1)], dim=-1
    )
    padded = F.pad(along[None], (ALONG_PX, ALONG_PX), mode="circular")
    rough = (along - F.avg_pool1d(padded, 2 * ALONG_PX + 1, 1)[0]).abs().mean()
    on_frame = (contrast > threshold)[frame].float().mean()
    return bool(on_frame <= MOST_ON_FRAME) and bool(rough <= MOST_ROUGH)


class _MainPart(NamedTuple):
    """The largest piece of what differs from the ground, at MASK_PX, see `_contrast`."""

    contrast: Tensor
    threshold: float
    mask: Tensor
    held: Tensor
    reaches_frame: bool


def _main_part(image: Tensor, factor: float = 1.0) -> _MainPart | None:
    small = _small(image)
    if lone_part_mask(small, factor) is None:
        return None
    contrast, threshold, frame = _contrast(small)
    threshold *= factor
    part = _filled(_largest_piece(_majority(contrast > threshold)))
    # A wire is thin: what reaches the frame is sought before single pixels are taken out.
    held = _grown_within(part, (contrast > HELD_SHARE * threshold) | part)
    return _MainPart(contrast, threshold, part, held, bool((held & frame).any()))


def _small(image: Tensor) -> Tensor:
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


def _majority(mask: Tensor) -> Tensor:
    """The mask without single pixels."""
    return F.avg_pool2d(mask[None].float(), 5, 1, 2)[0] > 0.5


def dilated(mask: Tensor, radius: int) -> Tensor:
    """The mask grown by a square of this radius in px."""
    width = 2 * radius + 1
    # A square's maximum is that of its rows' maxima, for a fraction of the work.
    rows = F.max_pool2d(mask[None].float(), (1, width), 1, (0, radius))
    return F.max_pool2d(rows, (width, 1), 1, (radius, 0))[0] > 0.5


def _grown_within(seed: Tensor, allowed: Tensor) -> Tensor:
    """What of `allowed` is connected with the seed, the seed's own pixels in it included."""
    grown = seed & allowed
    while True:
        along = _filled_runs(grown, allowed)
        more = _filled_runs(along.T, allowed.T).T
        if torch.equal(more, grown):
            return grown
        grown = more


def _filled_runs(seed: Tensor, allowed: Tensor) -> Tensor:
    """Every unbroken run of `allowed` along a row that holds a pixel of the seed."""
    runs = (~allowed).long().cumsum(dim=1)  # one number a run and row
    held = torch.zeros(len(runs), runs.shape[1] + 1, dtype=torch.long, device=runs.device)
    held.scatter_reduce_(1, runs, (seed & allowed).long(), "amax")
    return (held.gather(1, runs) > 0) & allowed


def _largest_piece(mask: Tensor) -> Tensor:
    """The connected piece with most pixels; an empty mask stays empty."""
    rest, largest = mask.clone(), torch.zeros_like(mask)
    while int(rest.sum()) > int(largest.sum()):
        first = torch.zeros_like(mask).flatten()
        first[int(rest.flatten().float().argmax())] = True
        piece = _grown_within(first.view_as(mask), rest)
        rest &= ~piece
        if int(piece.sum()) > int(largest.sum()):
            largest = piece
    return largest


def _step(contrast: Tensor, mask: Tensor) -> float:
    """By how much the contrast falls from just within the mask's outline to just outside."""
    inside = mask & dilated(~mask, OUTLINE_PX)
    outside = ~mask & dilated(mask, OUTLINE_PX)
    return float(contrast[inside].mean() - contrast[outside].mean())


def _filled(mask: Tensor) -> Tensor:
    """The mask without holes: what cannot be reached from the frame belongs to it."""
    border = torch.ones_like(mask)
    border[1:-1, 1:-1] = False
    return ~_grown_within(border & ~mask, ~mask)
