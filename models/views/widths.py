"""How far good parts are seen to differ in pose and light: the widths of the views.

Each width is that of a normal distribution of unknown variance: the usual one counts as
USUAL_WEIGHT images, and what the k images show is added to it (the scale of an inverse-gamma
posterior). So one image has the usual widths, five that lie and shine alike narrow ones, and five
that do not wide ones. Pose is known only where the images lie on each other, when one is turned,
scaled and shifted a little; elsewhere it keeps the usual widths. Where most images lie on another
one exactly, a fixture holds the parts, and no view moves them: that may be in several set-ups,
which differ from each other.

Axes: k images, H x W pixels; images (3, H, W) in [0, 1].
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from models.views.registration import STILL, Placement, register
from models.views.view import LOOSEST_DEG, USUAL_LIMITS, ViewLimits

USUAL_WEIGHT = 1.0
# Images lie on each other where half of them leave no more unexplained. Measured on thirteen good
# images of a category: parts that lie in one place 0.000 to 0.005, round ones and such as are put
# down at random 0.045 to 0.24, surfaces 0.2 and more.
MOST_UNEXPLAINED = 0.03
# Two images lie on each other exactly within this share of a side, a quarter of a pixel of 384.
# Of five good images of a category, the nearest to each lies at a median of 0.0002 where a fixture
# holds them exactly (pill), and at 0.0018 (bottle) and more elsewhere.
HELD_WITHIN = 0.00065
# By how they lie to a third, so many times that may be between two of which this is found out.
NEAR = 4.0
# So many images at least: two may be one picture in two files.
LEAST_HELD = 3
# Nothing is varied farther than this, whatever the images show: along a part that looks the same
# wherever it is cut, a shift is found that is none.
MOST = ViewLimits(
    angle_deg=LOOSEST_DEG,
    shift_x=0.03,
    shift_y=0.03,
    log_scale=0.05,
    log_gain=0.3,
    log_gamma=0.3,
    slope=0.3,
)
# More images than this would only cost time.
MAX_IMAGES = 9
POSE = ("angle_deg", "log_scale", "shift_x", "shift_y")
DARK = 0.02


@dataclass(frozen=True)
class Widths:
    """The limits of the views, and whether the images lie on each other."""

    limits: ViewLimits
    lie_alike: bool


def widths_of(images: Tensor) -> Widths:
    """How far the good images (k, 3, H, W) differ; the usual limits for k = 1."""
    images = images[:MAX_IMAGES]
    if len(images) == 1:
        return Widths(USUAL_LIMITS, lie_alike=False)
    placed = [register(image, images[0]) for image in images[1:]]
    unexplained = torch.tensor([one.unexplained for one in placed])
    lie_alike = bool(unexplained.median() <= MOST_UNEXPLAINED)
    observed = _light(images)
    if lie_alike:
        found = [one for one in placed if one.unexplained <= MOST_UNEXPLAINED]
        for name in POSE:
            # The first image lies to itself at 0.
            observed[name] = [0.0, *(getattr(one, name) for one in found)]
    # Of parts that lie otherwise, some of the light's difference is the pose's.
    most = MOST if lie_alike else USUAL_LIMITS
    widths = {name: _posterior(name, values) for name, values in observed.items()}
    limits = replace(
        USUAL_LIMITS, **{name: min(width, getattr(most, name)) for name, width in widths.items()}
    )
    if lie_alike and _are_held(images, placed):
        limits = limits.still()
    return Widths(limits, lie_alike)


def _are_held(images: Tensor, placed: Sequence[Placement]) -> bool:
    """Whether most of the images (k, 3, H, W) lie on another one exactly.

    `placed` says how each but the first lies to the first; of those that lie near each other by
    that, it is seen how they do.
    """
    if len(images) < LEAST_HELD:
        return False
    places = [STILL, *placed]
    num_held = 0
    for number, place in enumerate(places):
        others = [n for n in range(len(places)) if n != number]
        nearest = min(others, key=lambda n: place.farthest_move(places[n]))
        if place.farthest_move(places[nearest]) <= NEAR * HELD_WITHIN:
            found = register(images[number], images[nearest])
            num_held += found.farthest_move(STILL) <= HELD_WITHIN
    return 2 * num_held > len(images)


def _light(images: Tensor) -> dict[str, list[float]]:
    """What each image shows of gain, contrast and slope of the light."""
    grey = images.mean(dim=1)  # (k, H, W)
    log = (grey + DARK).log()
    across = torch.linspace(-1.0, 1.0, grey.shape[2])[None, None, :].to(grey)
    down = torch.linspace(-1.0, 1.0, grey.shape[1])[None, :, None].to(grey)
    slopes = [(log * ramp).mean(dim=(1, 2)) / ramp.square().mean() for ramp in (across, down)]
    return {
        "log_gain": (grey.mean(dim=(1, 2)) + DARK).log().tolist(),
        "log_gamma": (grey.std(dim=(1, 2)) + DARK / 2).log().tolist(),
        # Two quantities of one width.
        "slope": torch.cat([slope - slope.mean() for slope in slopes]).tolist(),
    }


def _posterior(name: str, values: list[float]) -> float:
    """The half-width of a uniform range whose deviation is the posterior's."""
    seen = torch.tensor(values, dtype=torch.float64)
    squares = float((seen - seen.mean()).square().sum())
    usual = USUAL_WEIGHT * getattr(USUAL_LIMITS, name) ** 2 / 3  # a uniform range's variance
    return math.sqrt(3 * (usual + squares) / (USUAL_WEIGHT + len(seen) - 1))
