import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.training.vqgan.images import ImagePool
from models.training.vqgan.pack import Pack, held_out_crops, read_pack, write_pack


def test_the_same_images_and_seed_give_the_same_bytes(
    pool: ImagePool, pack_file: Path, tmp_path: Path
):
    write_pack(tmp_path / "again", pool, pool, max_bytes=300_000, num_held_out=2)
    assert (tmp_path / "again").read_bytes() == pack_file.read_bytes()
    write_pack(tmp_path / "other", pool, pool, max_bytes=300_000, num_held_out=2, seed=1)
    assert read_pack(tmp_path / "other").digest != read_pack(pack_file).digest


def test_a_pack_is_as_large_as_allowed_and_no_larger(pack_file: Path):
    assert 200_000 < pack_file.stat().st_size <= 300_000


def test_held_out_crops_lose_nothing(pool: ImagePool, pack: Pack):
    for data, crop in zip(pack.held_out, held_out_crops(pool, 2), strict=True):
        with Image.open(io.BytesIO(data)) as stored:
            np.testing.assert_array_equal(np.asarray(stored), np.asarray(crop))


def test_without_room_nothing_is_left_behind(pool: ImagePool, tmp_path: Path):
    with pytest.raises(ValueError, match="no room"):
        write_pack(tmp_path / "small", pool, pool, max_bytes=50_000, num_held_out=2)
    assert not list(tmp_path.iterdir())


def test_without_images_there_is_no_pack(pool: ImagePool, tmp_path: Path):
    with pytest.raises(ValueError, match="0 images to train on"):
        write_pack(tmp_path / "none", ImagePool([]), pool, max_bytes=50_000)


def test_what_is_no_pack_is_named(tmp_path: Path):
    (tmp_path / "odd").write_bytes(b"no ZIP")
    with pytest.raises(ValueError, match=r"odd is no pack"):
        read_pack(tmp_path / "odd")
