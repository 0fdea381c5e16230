"""Plants defects into good images, to measure whether the normality guard sees them.

Axes: H x W pixels. Images are (H, W, 3) float64 in [0, 1] inside, `PIL.Image` outside.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

Pixels = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Length or diameter as a share of the image's short side.
SIZES = {"small": 0.06, "medium": 0.12, "large": 0.24}
# How far the defect's pixels go from the image's own towards the defect's.
CONTRASTS = {"faint": 0.15, "clear": 0.4, "strong": 0.9}
# Width of the eye's blur and of the surroundings it compares with, as shares of the short side.
EYE_BLUR, SURROUNDINGS = 0.006, 0.05
MASKING, JUST_NOTICEABLE = 0.6, 0.012
AT_A_GLANCE = 4.0


@dataclass(frozen=True)
class DefectSpec:
    """What to plant.

    Attributes:
        kind: a name of KINDS.
        size: length or diameter, a share of the image's short side.
        contrast: 0 (invisible) to 1.
        seed: fixes place, shape and colour.
    """

    kind: str
    size: float
    contrast: float
    seed: int


@dataclass(frozen=True)
class PlantedDefect:
    """An image with a defect.

    Attributes:
        image: RGB 8-bit.
        mask: (H, W) true where the defect is.
        visibility: see `visibility`; at least AT_A_GLANCE is seen at a glance.
    """

    image: Image.Image
    mask: Mask
    visibility: float


def plant(image: Image.Image, spec: DefectSpec, where: Mask | None = None) -> PlantedDefect:
    """Plants one defect; the same spec gives the same image.

    Args:
        image: a good image, RGB.
        spec: what to plant.
        where: (H, W) pixels where the defect's centre may lie, such as the object's; None is
            anywhere but the outermost margin.

    Raises:
        ValueError: there is no such kind, or `where` allows no pixel.
    """
    if spec.kind not in KINDS:
        raise ValueError(f"no kind {spec.kind!r}; there are {', '.join(KINDS)}")
    pixels = np.asarray(image.convert("RGB")) / 255.0
    allowed = _inner(pixels.shape[:2]) if where is None else where
    places = np.argwhere(allowed)
    if not len(places):
        raise ValueError("`where` allows no pixel")
    rng = np.random.default_rng(spec.seed)
    if spec.kind == "missing_corner":
        places = np.argwhere(allowed & ~ndimage.binary_erosion(allowed, iterations=2))
    centre = places[rng.integers(len(places))].astype(float)
    length = spec.size * min(pixels.shape[:2])
    opacity, painted = KINDS[spec.kind](pixels, centre, length, rng)
    share = (opacity * spec.contrast)[..., None]
    changed = np.clip(pixels * (1 - share) + painted * share, 0.0, 1.0)
    result = Image.fromarray((changed * 255.0).round().astype(np.uint8))
    return PlantedDefect(result, opacity > 0.25, visibility(image, result))


def visibility(before: Image.Image, after: Image.Image) -> float:
    """How plainly an eye sees the change, in just noticeable differences.

    The largest blurred colour difference over what hides it: the texture around (masking) and a
    constant. 0 for equal images; about 1 is found by whoever searches.
    """
    a, b = (np.asarray(i.convert("RGB")) / 255.0 for i in (before, after))
    side = min(a.shape[:2])
    blur = [EYE_BLUR * side] * 2 + [0.0]
    seen = ndimage.gaussian_filter(a, blur)
    difference = np.sqrt(((ndimage.gaussian_filter(b, blur) - seen) ** 2).mean(axis=2))
    wide = [SURROUNDINGS * side] * 2 + [0.0]
    mean = ndimage.gaussian_filter(seen, wide)
    variance = ndimage.gaussian_filter((seen - mean) ** 2, wide).mean(axis=2)
    return float((difference / (JUST_NOTICEABLE + MASKING * np.sqrt(variance))).max())


def _scratch(
    pixels: Pixels, centre: Pixels, length: float, rng: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """A thin bent line, light or dark."""
    height, width = pixels.shape[:2]
    heading, bend = rng.uniform(0, math.pi), rng.uniform(-1.0, 1.0)
    steps = np.linspace(-1.0, 1.0, 24)
    along, across = steps * length, bend * 0.25 * length * (steps**2 - 0.3)
    x = centre[1] + along * math.cos(heading) - across * math.sin(heading)
    y = centre[0] + along * math.sin(heading) + across * math.cos(heading)
    oversampling = 4
    canvas = Image.new("L", (width * oversampling, height * oversampling))
    line_px = max(1.2, 0.006 * min(height, width) * rng.uniform(0.8, 1.6))
    ImageDraw.Draw(canvas).line(
        [(float(u) * oversampling, float(v) * oversampling) for u, v in zip(x, y, strict=True)],
        fill=255,
        width=round(line_px * oversampling),
        joint="curve",
    )
    opacity = np.asarray(canvas.resize((width, height), Image.Resampling.BOX)) / 255.0
    return opacity, _stain(pixels, opacity, rng)


def _spot(
    pixels: Pixels, centre: Pixels, length: float, rng: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """An irregular blot of one colour."""
    opacity = _blob(pixels.shape[:2], centre, length, rng)
    return opacity, _stain(pixels, opacity, rng)


def _missing_corner(
    pixels: Pixels, centre: Pixels, length: float, rng: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """A bite out of the allowed region's edge, filled with the colour of the image's frame."""
    opacity = _blob(pixels.shape[:2], centre, length, rng)
    frame = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    ground = np.median(frame, axis=0)
    away = abs(pixels[opacity > 0.5] - ground).max(axis=1)
    if np.quantile(away, 0.7) < 0.15:  # a texture without ground: a dark or light hole
        return opacity, _stain(pixels, opacity, rng)
    grain = 0.01 * rng.standard_normal(pixels.shape)
    return opacity, np.clip(ground + grain, 0.0, 1.0)


def _pasted_patch(
    pixels: Pixels, centre: Pixels, length: float, rng: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """A piece of the same image that does not belong there: of eight drawn, the least alike."""
    height, width = pixels.shape[:2]
    opacity = _blob((height, width), centre, length, rng)
    inside = opacity > 0.5
    moved = []
    for _ in range(8):
        shift = (int(rng.integers(height)), int(rng.integers(width)))
        candidate = np.roll(pixels, shift, axis=(0, 1))
        moved.append(candidate[::-1] if rng.random() < 0.5 else candidate)
    return opacity, max(moved, key=lambda m: float(abs(m - pixels)[inside].mean()))


def _smear(
    pixels: Pixels, centre: Pixels, length: float, rng: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """What lies there, drawn out in one direction."""
    opacity = _blob(pixels.shape[:2], centre, 1.5 * length, rng)
    heading, num_steps = rng.uniform(0, 2 * math.pi), 24
    total = np.zeros_like(pixels)
    for step in range(num_steps):
        reach = 1.2 * length * step / num_steps
        shift = (reach * math.sin(heading), reach * math.cos(heading), 0.0)
        total += ndimage.shift(pixels, shift, order=1, mode="nearest")
    return opacity, total / num_steps


Painter = Callable[[Pixels, Pixels, float, np.random.Generator], tuple[Pixels, Pixels]]
KINDS: dict[str, Painter] = {
    "scratch": _scratch,
    "spot": _spot,
    "missing_corner": _missing_corner,
    "pasted_patch": _pasted_patch,
    "smear": _smear,
}


def _blob(
    shape: tuple[int, int], centre: Pixels, diameter: float, rng: np.random.Generator
) -> Pixels:
    """Opacity (H, W) in [0, 1] of an irregular round region with a soft edge of about 1 px."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    angle = np.arctan2(y - centre[0], x - centre[1])
    radius = np.full(shape, 1.0)
    for waves in (2, 3, 5):
        radius += rng.uniform(0.05, 0.4 / waves) * np.cos(
            waves * angle + rng.uniform(0, 2 * math.pi)
        )
    inside = radius * diameter / 2 - np.hypot(y - centre[0], x - centre[1])
    opacity: Pixels = np.clip(inside + 0.5, 0.0, 1.0)
    return opacity


def _stain(pixels: Pixels, opacity: Pixels, rng: np.random.Generator) -> Pixels:
    """A flat colour (H, W, 3), dark on a light ground and light on a dark one."""
    under = (pixels * opacity[..., None]).sum(axis=(0, 1)) / max(float(opacity.sum()), 1e-9)
    tint = rng.uniform(0.0, 0.15, size=3)
    dark = under.mean() > rng.uniform(0.35, 0.55)
    return np.broadcast_to(tint if dark else 1.0 - tint, pixels.shape)


def _inner(shape: tuple[int, int]) -> Mask:
    margin = max(1, min(shape) // 20)
    inner = np.zeros(shape, dtype=bool)
    inner[margin:-margin, margin:-margin] = True
    return inner
