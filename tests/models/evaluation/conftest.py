"""A small category in the MVTec layout, painted here: a checked tile that some stain spoils."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def tile(seed: int, *, side: int = 96) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    checks = 0.5 + 0.2 * np.sign(np.sin((x + rng.integers(8)) / 6) * np.sin(y / 6))
    pixels = checks[..., None] * [0.9, 0.8, 0.6] + 0.01 * rng.standard_normal((side, side, 3))
    return (pixels.clip(0, 1) * 255).astype(np.uint8)


def stain(pixels: np.ndarray, seed: int) -> np.ndarray:
    """Paints in place; returns the mask."""
    rng = np.random.default_rng(seed)
    top, left = rng.integers(10, 60, size=2)
    mask = np.zeros(pixels.shape[:2], dtype=np.uint8)
    mask[top : top + 24, left : left + 24] = 255
    pixels[mask > 0] = (20, 160, 40)
    return mask


def paint_category(root: Path, *, num_train: int) -> Path:
    for folder in ("train/good", "test/good", "test/stain", "ground_truth/stain"):
        (root / folder).mkdir(parents=True)
    for index in range(num_train):
        Image.fromarray(tile(index)).save(root / f"train/good/{index:03}.png")
    for index in range(3):
        Image.fromarray(tile(10 + index)).save(root / f"test/good/{index:03}.png")
        pixels = tile(20 + index)
        mask = stain(pixels, index)
        Image.fromarray(pixels).save(root / f"test/stain/{index:03}.bmp")
        Image.fromarray(mask).save(root / f"ground_truth/stain/{index:03}_mask.png")
    return root


@pytest.fixture(scope="session")
def category_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return paint_category(tmp_path_factory.mktemp("data") / "tile", num_train=4)
