"""Real good images that come with Python packages, for the demo and the benchmark."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

BRICK_CROPS = ((0, 0), (256, 0), (128, 256))
# Of scikit-image's 24 ancient coins, no two alike, those that fit into a window of this side
# without a neighbour: left and top of each window. First five heads that look to the right.
COIN_PX = 56
COINS = ((74, 168), (178, 96), (126, 170), (246, 166), (216, 236))
OTHER_COINS = (
    *((16, 26), (72, 28), (128, 23), (188, 24), (248, 25), (18, 96), (75, 98), (126, 100)),
    *((242, 92), (308, 98), (16, 170), (185, 166), (86, 238), (273, 236), (328, 240)),
)
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


def load_apart(name: str) -> list[Image.Image]:
    """Other real images of a sample, to judge by; none where there are not enough of them."""
    return _cut_coins(OTHER_COINS) if name == "coin" else []


def _brick() -> tuple[str, list[Image.Image]]:
    """Three crops of 256 px that do not overlap, of scikit-image's brick wall."""
    from skimage.data import brick  # noqa: PLC0415, only the demo has scikit-image

    wall = Image.fromarray(np.asarray(brick()))
    crops = [wall.crop((x, y, x + 256, y + 256)) for x, y in BRICK_CROPS]
    return "brick wall", crops


def _coin() -> tuple[str, list[Image.Image]]:
    """Five single coins."""
    return "coin", _cut_coins(COINS)


def _textile() -> tuple[str, list[Image.Image]]:
    """Nominal textiles of conformal-clip-data."""
    from conformal_clip_data import nominal_dir  # noqa: PLC0415

    paths = sorted(p for p in Path(str(nominal_dir())).rglob("*") if p.suffix in (".jpg", ".png"))
    images = [Image.open(path).convert("RGB") for path in paths[:NUM_TEXTILES]]
    return "textile", images


def _cut_coins(windows: Sequence[tuple[int, int]]) -> list[Image.Image]:
    """Windows of scikit-image's picture of coins, each enlarged to twice its size."""
    from skimage.data import coins  # noqa: PLC0415

    picture = Image.fromarray(np.asarray(coins()))
    cut = [picture.crop((x, y, x + COIN_PX, y + COIN_PX)) for x, y in windows]
    return [coin.resize((2 * COIN_PX, 2 * COIN_PX), Image.Resampling.LANCZOS) for coin in cut]


SAMPLES: dict[str, Callable[[], tuple[str, list[Image.Image]]]] = {
    "coin": _coin,
    "brick": _brick,
    "textile": _textile,
}
