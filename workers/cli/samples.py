"""Real good images that come with Python packages, for the demo and the benchmark."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

BRICK_CROPS = ((0, 0), (256, 0), (128, 256))
# Left, top, right, bottom of coins that stand clear of their neighbours.
COINS = ((76, 170, 128, 222), (129, 172, 181, 224), (180, 98, 232, 150))
NUM_TEXTILES = 3


def load_sample(name: str) -> tuple[str, list[Image.Image]]:
    """(object name, good images) of one sample.

    Raises:
        ValueError: there is no such sample.
    """
    if name not in SAMPLES:
        raise ValueError(f"No sample {name!r}; there are {', '.join(SAMPLES)}.")
    return SAMPLES[name]()


def save_sample(name: str, folder: Path) -> tuple[str, list[Path]]:
    """(object name, files) of one sample, written to `folder` as PNG."""
    object_name, images = load_sample(name)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}-{number}.png" for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        image.save(path)
    return object_name, paths


def _brick() -> tuple[str, list[Image.Image]]:
    """Three crops of 256 px that do not overlap, of scikit-image's brick wall."""
    from skimage.data import brick  # noqa: PLC0415, only the demo has scikit-image

    wall = Image.fromarray(np.asarray(brick()))
    crops = [wall.crop((x, y, x + 256, y + 256)) for x, y in BRICK_CROPS]
    return "brick wall", crops


def _coin() -> tuple[str, list[Image.Image]]:
    """Single coins of scikit-image's picture of coins, enlarged to 256 px."""
    from skimage.data import coins  # noqa: PLC0415

    picture = Image.fromarray(np.asarray(coins()))
    singles = [picture.crop(box).resize((256, 256), Image.Resampling.LANCZOS) for box in COINS]
    return "coin", singles


def _textile() -> tuple[str, list[Image.Image]]:
    """Nominal textiles of conformal-clip-data."""
    from conformal_clip_data import nominal_dir  # noqa: PLC0415

    paths = sorted(p for p in Path(str(nominal_dir())).rglob("*") if p.suffix in (".jpg", ".png"))
    images = [Image.open(path).convert("RGB") for path in paths[:NUM_TEXTILES]]
    return "textile", images


SAMPLES: dict[str, Callable[[], tuple[str, list[Image.Image]]]] = {
    "brick": _brick,
    "coin": _coin,
    "textile": _textile,
}
