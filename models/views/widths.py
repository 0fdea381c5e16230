"""How far good parts are seen to differ in pose and light: the widths of the views.

Each width is that of a normal distribution of unknown variance: the usual one counts as
USUAL_WEIGHT images, and what the k images show is added to it (the scale of an inverse-gamma
posterior). So one image has the usual widths, five that lie and shine alike narrow ones, and five
that do not wide ones. Pose is known only where the images lie on each other, when one is turned,
scaled and shifted a little; elsewhere it keeps the usual widths.

Axes: k images, H x W pixels; images (3, H, W) in [0, 1].
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from models.views.registration import register
from models.views.view import USUAL_LIMITS, ViewLimits

USUAL_WEIGHT = 1.0
# Images lie on each other where half of them leave no more unexplained. Measured on thirteen good
# images of a category: parts that lie in one place 0.000 to 0.005, round ones and such as are put
# down at random 0.045 to 0.24, surfaces 0.2 and more.
MOST_UNEXPLAINED = 0.03
# No light is varied farther than this, whatever the images show.
MOST_LIGHT = ViewLimits(log_gain=0.3, log_gamma=0.3, slope=0.3)
# More images than this would only cost time.
MAX_IMAGES = 9
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
    limits = _light_limits(images, lie_alike)
    if lie_alike:
        names = ("angle_deg", "log_scale", "shift_x", "shift_y")
        found = [one for one in placed if one.unexplained <= MOST_UNEXPLAINED]
        # The first image lies to itself at 0.
        observed = {name: [0.0, *(getattr(one, name) for one in found)] for name in names}
        limits = replace(limits, **_posterior(observed))
    return Widths(limits, lie_alike)


def _light_limits(images: Tensor, lie_alike: bool) -> ViewLimits:
    """Gain, contrast and slope of the light; from parts that lie otherwise no more than usual."""
    grey = images.mean(dim=1)  # (k, H, W)
    log = (grey + DARK).log()
    across = torch.linspace(-1.0, 1.0, grey.shape[2])[None, None, :].to(grey)
    down = torch.linspace(-1.0, 1.0, grey.shape[1])[None, :, None].to(grey)
    slopes = [(log * ramp).mean(dim=(1, 2)) / ramp.square().mean() for ramp in (across, down)]
    posterior = _posterior(
        {
            "log_gain": (grey.mean(dim=(1, 2)) + DARK).log().tolist(),
            "log_gamma": (grey.std(dim=(1, 2)) + DARK / 2).log().tolist(),
            "slope": _centred(slopes),
        }
    )
    most = MOST_LIGHT if lie_alike else USUAL_LIMITS
    return replace(
        USUAL_LIMITS, **{name: min(value, getattr(most, name)) for name, value in posterior.items()}
    )


def _centred(values: Sequence[Tensor]) -> list[float]:
    """The deviations of several quantities from their own means, as those of one."""
    return torch.cat([value - value.mean() for value in values]).tolist()


def _posterior(observed: dict[str, list[float]]) -> dict[str, float]:
    """Half-widths of uniform ranges whose deviation is the posterior's, by name."""
    widths = {}
    for name, values in observed.items():
        seen = torch.tensor(values, dtype=torch.float64)
        squares = float((seen - seen.mean()).square().sum())
        usual = USUAL_WEIGHT * getattr(USUAL_LIMITS, name) ** 2 / 3  # a uniform range's variance
        variance = (usual + squares) / (USUAL_WEIGHT + len(seen) - 1)
        widths[name] = math.sqrt(3 * variance)
    return widths
