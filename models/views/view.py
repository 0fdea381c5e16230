"""Normal-preserving views: how one good image may be moved, turned and lit and still be good.

The views are the paper's augmented inputs I_1..I_N (Lee & Choi, CVPR 2024, section 4.1.2). Which
transformations preserve normality depends on the object: models/views/decision/invariances.py
decides. Here a view is drawn; models/views/showing/warp.py shows an image through it.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType

import numpy as np
import torch
from PIL import Image
from torch import Tensor

INVARIANCES = (
    "rotate",
    "rotate_90",
    "half_turn",
    "flip_horizontal",
    "flip_vertical",
    "shift",
    "scale",
    "brightness",
    "lighting",
)

# The longest side of a new image; the networks want LEAST_SIDE_PX of the shorter one.
MAX_SIDE_PX, LEAST_SIDE_PX = 4096, 32
# How far these go at most, and which limits they widen.
WIDEST = {"shift": 0.08, "scale": 0.12, "brightness": 0.18}
WIDENS = {
    "shift": ("shift_x", "shift_y"),
    "scale": ("log_scale",),
    "brightness": ("log_gain", "log_gamma"),
}
NOT_SEEN: Mapping[str, float] = MappingProxyType({})
# No fixture leaves more open, whatever several images show.
LOOSEST_DEG = 5.0
# Of views that neither turn nor change size beyond what a fixture leaves open, so many only shift.
STILL_SHARE = 0.5


@dataclass(frozen=True)
class ViewLimits:
    """How far a view may go, as half-widths of uniform ranges.

    The defaults are what a fixture and a lamp leave open on any line, where one image says no more;
    several images say it themselves (models/views/widths.py), and an invariance widens one. Shifts
    are shares of the width and height; `slope` is that of the light over half the image.
    """

    angle_deg: float = 1.2
    shift_x: float = 0.01
    shift_y: float = 0.01
    log_scale: float = 0.006
    log_gain: float = 0.035
    log_gamma: float = 0.035
    slope: float = 0.03

    def times(self, factor: float) -> "ViewLimits":
        """All of them so many times as wide."""
        return ViewLimits(**{name: factor * width for name, width in asdict(self).items()})

    def still(self) -> "ViewLimits":
        """The same light, and the part where it is."""
        return replace(self, angle_deg=0.0, shift_x=0.0, shift_y=0.0, log_scale=0.0)


USUAL_LIMITS = ViewLimits()
# Wide enough to be told from no change at all: what evidence is measured in.
PROBED_LIMITS = ViewLimits(
    angle_deg=3.0,
    shift_x=0.02,
    shift_y=0.02,
    log_scale=0.03,
    log_gain=0.06,
    log_gamma=0.06,
    slope=0.06,
)


@dataclass(frozen=True)
class View:
    """One view: turned by `angle_deg` about the centre, mirrored, scaled, shifted, re-lit.

    `shift_x` and `shift_y` are fractions of the width and height; `gain` and `gamma` act on pixels
    in [0, 1] as gain * x^gamma; `light_x` and `light_y` are the relative slopes of a linear
    lighting field over half the image. `light` is the standard deviation of the log of a smooth
    lighting field of any shape, drawn by `light_seed`. With `half_turn` the finished picture is
    turned by half, ground and light too. `fill` says what stands where the view looks
    beyond the image's edge: its mirror image ("mirror", for textures); the edge drawn out, or where
    it is rough the bare ground mirrored, unless the strip is narrow ("edge", for a part that
    reaches the frame: a mirror would show a second piece); the ground, which stays as it is while
    the part alone moves ("ground", for a lone part, see models/views/showing/lone_part.py).
    """

    angle_deg: float = 0.0
    flip_horizontal: bool = False
    flip_vertical: bool = False
    half_turn: bool = False
    scale: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    gain: float = 1.0
    gamma: float = 1.0
    light_x: float = 0.0
    light_y: float = 0.0
    light: float = 0.0
    light_seed: int = 0
    fill: str = "mirror"

    @property
    def pose(self) -> tuple[bool, ...]:
        """What becomes of the pose: kept, turned farther than a fixture lets, by half, mirrored."""
        moves = (self.angle_deg, self.shift_x, self.shift_y, self.scale - 1.0)
        others = (self.half_turn, self.flip_horizontal, self.flip_vertical)
        return (not any((*moves, *others)), abs(self.angle_deg) > LOOSEST_DEG, *others)

    def as_dict(self) -> dict[str, object]:
        """JSON-able, angles in degrees rounded for people."""
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(self).items()}


def output_size(image: Image.Image, long_side_px: int | None) -> tuple[int, int]:
    """(width, height) with this long side and the image's ratio; None: as large as the image.

    No side is larger than MAX_SIDE_PX. An image so long that its short side would have less than
    LEAST_SIDE_PX gets that much, and a long side that is longer than `long_side_px`.
    `app/images/output_size.py` tells clients the same.
    """
    return scaled(image.size, min(long_side_px or max(image.size), MAX_SIDE_PX), LEAST_SIDE_PX)


def scaled(size: tuple[int, int], long_side_px: int, least_px: int = 1) -> tuple[int, int]:
    """(width, height) of the same ratio with this long side, or with a short one of `least_px`."""
    factor = max(long_side_px / max(size), least_px / min(size))
    width, height = (max(1, round(side * factor)) for side in size)
    return width, height


def to_tensor(image: Image.Image, size: tuple[int, int]) -> Tensor:
    """The image resized to `size` (width, height), as (3, H, W) float in [0, 1]."""
    resized = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(resized)).permute(2, 0, 1).float() / 255.0


def to_image(pixels: Tensor) -> Image.Image:
    """Pixels (3, H, W) in [0, 1] as an 8-bit RGB image."""
    return Image.fromarray((pixels * 255).round().byte().permute(1, 2, 0).cpu().numpy())


def draw_view(
    invariances: frozenset[str],
    rng: np.random.Generator,
    *,
    fill: str = "mirror",
    turn: float | None = None,
    light_spread: float = 0.0,
    limits: ViewLimits = USUAL_LIMITS,
    spread: Mapping[str, float] = NOT_SEEN,
    flip_share: float = 0.5,
) -> View:
    """A random view within what the invariances allow.

    `turn` in [0, 1) says where in its range the angle lies, for sets whose angles are to be spread
    evenly; None draws it too. `light_spread` is how uneven the light gets where "lighting" is
    among the invariances, see `View.light`. `limits` hold where no invariance widens them.
    `spread` is the standard deviation of "shift", "scale" or "brightness" that the images show: no
    invariance goes farther. `flip_share` of the views are mirrored about each axis that may be.
    """
    limits = _widened(limits, invariances, fill, spread)

    def within(limit: float) -> float:
        return float(rng.uniform(-limit, limit))

    turn = rng.random() if turn is None else turn
    quarter_turns = int(rng.integers(4)) if "rotate_90" in invariances else 0
    # A shift alone goes by whole pixels and takes nothing from the image: it is drawn often.
    still = not {"rotate", "scale"} & invariances and rng.random() < STILL_SHARE
    return View(
        angle_deg=(0.0 if still else limits.angle_deg * (2 * turn - 1)) + 90.0 * quarter_turns,
        flip_horizontal="flip_horizontal" in invariances and rng.random() < flip_share,
        flip_vertical="flip_vertical" in invariances and rng.random() < flip_share,
        scale=1.0 if still else math.exp(within(limits.log_scale)),
        shift_x=within(limits.shift_x),
        shift_y=within(limits.shift_y),
        gain=math.exp(within(limits.log_gain)),
        gamma=math.exp(within(limits.log_gamma)),
        light_x=within(limits.slope),
        light_y=within(limits.slope),
        light=light_spread if "lighting" in invariances else 0.0,
        light_seed=int(rng.integers(2**31)),
        half_turn="half_turn" in invariances,
        fill=fill,
    )


def _widened(
    limits: ViewLimits, invariances: frozenset[str], fill: str, spread: Mapping[str, float]
) -> ViewLimits:
    """The limits with what the invariances allow beyond them."""
    # A texture shows the same wherever it is cut, and a shift would only uncover its edge.
    held = {"shift"} if fill != "ground" else set()
    wider = {"angle_deg": 180.0} if "rotate" in invariances else {}
    for name in WIDEST.keys() & invariances - held:
        seen = math.sqrt(3) * spread.get(name, math.inf)  # a uniform range's half-width
        wider |= dict.fromkeys(WIDENS[name], min(WIDEST[name], seen))
    return replace(
        limits, **{name: max(value, getattr(limits, name)) for name, value in wider.items()}
    )
