"""How two good images lie to each other: the small turn, scale and shift that bring one on another.

Source: Lucas & Kanade, IJCAI 1981, in the inverse compositional form of Baker & Matthews, IJCV 56,
2004, for a similarity and with the light's gain and offset fitted beside it.

Axes: h x w pixels of the reduced grey images.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

# Long sides in px, coarse to fine; a coarse one finds what lies far.
SIDES_PX = (24, 48, 96)
STEPS = 12
# Images that lie on each other by less than this share of one say nothing of how they do.
LEAST_OVERLAP = 0.5
# What is compared is seen through a binomial filter of so many passes.
BLUR_PASSES = 2


@dataclass(frozen=True)
class Placement:
    """How an image lies to another.

    Attributes:
        angle_deg: counter-clockwise, log_scale: natural logarithm.
        shift_x, shift_y: as shares of the width and height.
        unexplained: share of the other's variance that is left when they lie on each other, in
            [0, 1] or above: 0 for the same picture, about 1 for unlike ones, infinite where none
            was found.
    """

    angle_deg: float
    log_scale: float
    shift_x: float
    shift_y: float
    unexplained: float

    def farthest_move(self, other: "Placement") -> float:
        """How far a corner of a square moves at most from this to the other, as share of a side."""
        turned = math.hypot(
            math.radians(self.angle_deg - other.angle_deg), self.log_scale - other.log_scale
        )
        shifted = math.hypot(self.shift_x - other.shift_x, self.shift_y - other.shift_y)
        return shifted + turned / math.sqrt(2)


# How an image lies to itself.
STILL = Placement(0.0, 0.0, 0.0, 0.0, 0.0)


@torch.no_grad()
def register(image: Tensor, other: Tensor) -> Placement:
    """How `image` lies to `other`, both (3, H, W) in [0, 1], of one size."""
    # (angle in rad, log scale, shift in x, shift in y), the shifts in half long sides
    found = torch.zeros(4, dtype=torch.float64)
    unexplained = 1.0
    for side in SIDES_PX:
        found, unexplained = _fitted(_reduced(image, side), _reduced(other, side), found)
    height, width = image.shape[-2:]
    longest = max(height, width)
    angle, log_scale, x, y = found.tolist()
    return Placement(
        angle_deg=math.degrees(angle),
        log_scale=log_scale,
        shift_x=x * longest / (2 * width),
        shift_y=y * longest / (2 * height),
        unexplained=unexplained,
    )


def _reduced(image: Tensor, side_px: int) -> Tensor:
    """Grey, blurred, with this long side, (h, w) float64."""
    factor = side_px / max(image.shape[-2:])
    size = [max(8, round(side * factor)) for side in image.shape[-2:]]
    grey = image.mean(dim=0, keepdim=True)[None]
    small = F.interpolate(grey, size, mode="bilinear", antialias=True)
    for _ in range(BLUR_PASSES):
        small = F.avg_pool2d(F.pad(small, (1,) * 4, mode="replicate"), 3, 1)
    return small[0, 0].double().cpu()


def _fitted(image: Tensor, other: Tensor, start: Tensor) -> tuple[Tensor, float]:
    """Gauss-Newton steps from a start; the best placement and what it leaves unexplained."""
    height, width = other.shape
    longest = max(height, width)
    ys, xs = torch.meshgrid(
        (torch.arange(height, dtype=torch.float64) + 0.5 - height / 2) * 2 / longest,
        (torch.arange(width, dtype=torch.float64) + 0.5 - width / 2) * 2 / longest,
        indexing="ij",
    )
    place, best = start.clone(), (start.clone(), math.inf)
    for _ in range(STEPS):
        seen, inside = _warped(image, place, xs, ys)
        if float(inside.mean()) < LEAST_OVERLAP:
            break
        weight = inside.flatten()
        down, across = torch.gradient(seen, spacing=2 / longest)
        jacobian = (
            torch.stack(
                [
                    (across * -ys + down * xs).flatten(),  # a turn
                    (across * xs + down * ys).flatten(),  # a scale
                    across.flatten(),
                    down.flatten(),
                    seen.flatten(),  # the light's gain
                    torch.ones(height * width, dtype=torch.float64),  # and offset
                ],
                dim=1,
            )
            * weight[:, None]
        )
        target = other.flatten() * weight
        gain, offset = _light(seen.flatten(), other.flatten(), weight)
        left = (other.flatten() - gain * seen.flatten() - offset) * weight
        share = float(left.square().sum() / _variance(other.flatten(), weight).clamp_min(1e-12))
        if share < best[1]:
            best = (place.clone(), share)
        residual = target - seen.flatten() * weight
        normal = jacobian.T @ jacobian
        ridge = 1e-6 * normal.diagonal().mean() * torch.eye(6, dtype=torch.float64)
        step = torch.linalg.solve(normal + ridge, jacobian.T @ residual)[:4]
        place = place + step.clamp(-0.2, 0.2)
    return best


def _warped(image: Tensor, place: Tensor, xs: Tensor, ys: Tensor) -> tuple[Tensor, Tensor]:
    """The image read where the placement says, and where that lies inside it, both (h, w)."""
    height, width = image.shape
    longest = max(height, width)
    angle, log_scale, shift_x, shift_y = place
    cos, sin = torch.cos(angle) * torch.exp(log_scale), torch.sin(angle) * torch.exp(log_scale)
    read_x = (cos * xs - sin * ys + shift_x) * longest / width
    read_y = (sin * xs + cos * ys + shift_y) * longest / height
    grid = torch.stack([read_x, read_y], dim=-1)[None]
    seen = F.grid_sample(
        image[None, None], grid, mode="bicubic", padding_mode="border", align_corners=False
    )[0, 0]
    inside = (read_x.abs() <= 1) & (read_y.abs() <= 1)
    return seen, inside.double()


def _light(seen: Tensor, other: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Gain and offset that bring `seen` nearest to `other`."""
    total = weight.sum().clamp_min(1.0)
    mean_seen, mean_other = (seen * weight).sum() / total, (other * weight).sum() / total
    covariance = ((seen - mean_seen) * (other - mean_other) * weight).sum()
    gain = (covariance / _variance(seen, weight).clamp_min(1e-12)).clamp(0.5, 2.0)
    return gain, mean_other - gain * mean_seen


def _variance(values: Tensor, weight: Tensor) -> Tensor:
    """Sum of squares about the mean."""
    mean = (values * weight).sum() / weight.sum().clamp_min(1.0)
    return ((values - mean).square() * weight).sum()
