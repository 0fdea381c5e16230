"""Whether a part lies whole and free on its ground, and what of the picture goes along with it.

Axes: H x W pixels; h x w those at `part_mask.MASK_PX`; images (3, H, W) in [0, 1]; masks bool.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from models.views.showing.disc import whole_disc
from models.views.showing.mask_shapes import (
    closed,
    dilated,
    filled,
    grown_within,
    largest_piece,
    majority,
    without_notches,
)
from models.views.showing.outlined_part import changes_of, outlined_part, within_edges
from models.views.showing.part_mask import MainPart, at_mask_size, has_plain_frame, main_part

# Shadow and glow that belong to a part differ from the ground by this share of what the part does.
NEAR_SHARE = 0.5
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
# A part ends in a step of at least this share of the threshold within so many px of its outline,
# a slow change of light does not.
OUTLINE_PX, LEAST_STEP = 6, 0.6
# A shadow that reaches the frame changes along it by no more than this share of the threshold
# within OUTLINE_PX. Measured: shadows .06 to .26, a tray with reflections .4, wires 1.1 to 1.5.
MOST_SOFT = 0.3
# A part's outline is where the image changes by this share of the threshold.
LEAST_EDGE = 0.5
# What differs from the ground by twice the threshold is the part, nearly all of it.
STRONG, LEAST_STRONG = 2.0, 0.95
# A rough or unevenly lit ground itself differs from its colour. Where somebody says that a part
# moves, it may be what differs so many times more; less of it than this share is a piece of it.
RAISED = (1.5, 2.0)
LEAST_KEPT = 0.7
# What is narrower than twice this in its rim looks like the ground and is of the part.
NOTCH_PX = 16


def free_part_mask(image: Tensor, *, told: bool = False) -> tuple[Tensor, Tensor] | None:
    """Where a part lies whole and free on its ground, and the same with its near shadow, (h, w).

    At MASK_PX on the long side, or at LEAST_MASK_PX on the short one; holes are filled. None when
    no part is alone, when it reaches the frame (what hangs on a wire or runs out of the picture
    cannot be taken off its ground; its shadow may reach it), or when anything else is seen on the
    ground (another piece, a wall, the rest of the part itself), or when much of the part looks like
    the ground and no outline encloses it.

    Args:
        image: (3, H, W) in [0, 1].
        told: somebody who knows the part says that it moves: what is seen elsewhere on the ground
            is not of it, and stays, and on a rough ground it is what stands out most.
    """
    found = main_part(image)
    free = None
    if found is not None:
        free = _in_soft_light(image, found) if found.reaches_frame else _free(found, told=told)
    free = _with_outline(free, outlined_part(image))
    if free is not None:
        part, near = free
        disc = whole_disc(part)
        return part | disc, near | disc
    if told and not has_plain_frame(image):
        higher = (_standing_out(image, found, factor) for factor in RAISED)
        return next((masks for masks in higher if masks is not None), None)
    return None


def _with_outline(
    free: tuple[Tensor, Tensor] | None, outlined: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, Tensor] | None:
    """The part that its contrast to the ground shows, its outline, or both; None with neither."""
    if free is None or outlined is None:
        return free or outlined
    (part, near), (within, near_outline) = free, outlined
    # Of a part that is partly like its ground, the outline shows what the contrast does not.
    missed = int((within & ~near).sum()) > LEAST_OF_PART * int(within.sum())
    return (part | within, near | near_outline) if missed else free


def _free(
    found: MainPart, *, told: bool, near_share: float = NEAR_SHARE
) -> tuple[Tensor, Tensor] | None:
    """The masks of `free_part_mask` of a part that does not reach the frame."""
    contrast, threshold, part = found.contrast, found.threshold, found.mask
    near, seen = _near(found, near_share)
    beside = seen & ~dilated(near, OUTLINE_PX)
    if told:
        beside &= dilated(near, NEXT_TO_PX)
    others = int(beside.sum()) > MOST_OF_OTHERS * int(near.sum())
    unseen = int((seen & near).sum()) < LEAST_SEEN * int(near.sum())
    if others or unseen or _step(contrast, part) < LEAST_STEP * threshold:
        return None
    # A dark side hangs together with the part and goes beyond a shadow's reach: it is of the part.
    whole = filled(grown_within(near, seen & dilated(near, NEXT_TO_PX)))
    if int((whole & ~dilated(near, OUTLINE_PX)).sum()) > LEAST_OF_PART * int(near.sum()):
        near = whole
    # What of the part looks like the ground is within it, or a notch in what was seen of it.
    return (part | closed(part, CLOSED_PX) | ~dilated(~near, REACH_PX)) & near, near


def _near(found: MainPart, share: float) -> tuple[Tensor, Tensor]:
    """The part with its near shadow, and all that differs by this share of what a part does."""
    seen = majority(found.contrast > share * found.threshold) | found.mask
    return filled(grown_within(found.mask, seen & dilated(found.mask, REACH_PX))), seen


def _standing_out(
    image: Tensor, found: MainPart | None, factor: float
) -> tuple[Tensor, Tensor] | None:
    """The part by a threshold so many times as high; None where that is not free, or a piece of it.

    Its shadow is not told from the ground and stays; a notch in its rim is of the part.
    """
    higher = main_part(image, factor)
    if higher is None or higher.reaches_frame:
        return None
    if found and int((higher.mask & found.mask).sum()) < LEAST_KEPT * int(found.mask.sum()):
        return None
    whole = higher._replace(mask=without_notches(higher.mask, NOTCH_PX))
    return _free(whole, told=True, near_share=1.0)


def _in_soft_light(image: Tensor, found: MainPart) -> tuple[Tensor, Tensor] | None:
    """The part within its outline, where no more than a soft shadow of it reaches the frame.

    From the frame inwards all is ground or shadow that is reached without crossing an edge.
    """
    if _step_along_frame(found) > MOST_SOFT * found.threshold:
        return None
    edges = changes_of(at_mask_size(image)) > LEAST_EDGE * found.threshold
    part = filled(largest_piece(majority(within_edges(edges))))
    strong = found.contrast > STRONG * found.threshold
    missed = int((strong & ~part).sum()) > (1 - LEAST_STRONG) * int(strong.sum())
    others = int((edges & ~dilated(part, OUTLINE_PX)).sum()) > MOST_OF_OTHERS * int(part.sum())
    # Of no part at all that is NaN.
    blurred = not _step(found.contrast, part) >= LEAST_STEP * found.threshold
    if missed or others or blurred or bool((part & found.frame).any()):
        return None
    near, _ = _near(found, NEAR_SHARE)
    return part, near | part


def _step_along_frame(found: MainPart) -> float:
    """By how much the contrast changes along the frame, where what holds the part meets it."""
    depth = int(found.frame[len(found.frame) // 2].sum()) // 2
    contrast = _along_frame(found.contrast, depth)
    held = _along_frame(found.held.float(), depth) > 0
    reach = 2 * OUTLINE_PX
    ring = F.pad(held[None, None].float(), (reach, reach), mode="circular")
    at_holder = F.max_pool1d(ring, 2 * reach + 1, 1)[0, 0] > 0
    steps = (contrast - contrast.roll(OUTLINE_PX)).abs()
    return float(steps[at_holder].max())


def _along_frame(plane: Tensor, depth: int) -> Tensor:
    """The mean over so many outermost lines of (h, w), once around, (2 (h + w),)."""
    top, bottom = plane[:depth].mean(dim=0), plane[-depth:].mean(dim=0)
    left, right = plane[:, :depth].mean(dim=1), plane[:, -depth:].mean(dim=1)
    return torch.cat([top, right, bottom.flip(0), left.flip(0)])


def _step(contrast: Tensor, mask: Tensor) -> float:
    """By how much the contrast falls from just within the mask's outline to just outside."""
    inside = mask & dilated(~mask, OUTLINE_PX)
    outside = ~mask & dilated(mask, OUTLINE_PX)
    return float(contrast[inside].mean() - contrast[outside].mean())
