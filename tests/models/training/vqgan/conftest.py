"""A folder of made-up pictures, and the crops of a run on them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.training.vqgan.images import ImagePool
from models.training.vqgan.pack import Pack, read_pack, write_pack
from models.training.vqgan.recipe import Recipe

SMALL = Recipe(
    batch_size=2,
    lr=1e-3,
    warm_up_steps=2,
    continuous_steps=1,
    channels=(8, 16),
    patch_size=2,
    latent_channels=4,
    codes=32,
    linear_crops=0,
)


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    for number, side in enumerate((160, 160, 300, 400)):
        small = rng.integers(0, 255, (20, 20, 3), dtype=np.uint8)
        image = Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC)
        image.save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def pool(images: Path) -> ImagePool:
    return ImagePool(sorted(images.glob("*.png")))


@pytest.fixture(scope="session")
def pack_file(pool: ImagePool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pack") / "crops.pack"
    write_pack(path, pool, pool, max_bytes=300_000, num_held_out=2)
    return path


@pytest.fixture(scope="session")
def pack(pack_file: Path) -> Pack:
    return read_pack(pack_file)
