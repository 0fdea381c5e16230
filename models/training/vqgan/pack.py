"""Training crops in one file that fits in memory and goes wherever a GPU is.

An uncompressed ZIP: `train/NUMBER.jpg`, squares of up to SQUARE_PX px from which crops are cut at
training, and `held_out/NUMBER.png`, the crops to measure with, without loss. The same images and
seed give the same bytes, as long as Pillow's encoders are the same; its SHA-256 names the data.
"""

import hashlib
import io
import random
import zipfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from models.training.vqgan.images import ImagePool

SQUARE_PX = 256
# Without subsampled colours; at this quality the blocks' edges stay below the sources' own.
JPEG_QUALITY = 92
# The seed and number of the held-out crops stand fast: figures are compared across packs.
HELD_OUT_SEED = 20240306
NUM_HELD_OUT = 256
# What a ZIP takes for an entry beside its bytes, at most.
ENTRY_BYTES = 256
EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Pack:
    """A pack in memory.

    Attributes:
        squares: JPEG files to train on.
        held_out: PNG files to measure with.
        digest: the pack's SHA-256.
    """

    squares: list[bytes]
    held_out: list[bytes]
    digest: str


def held_out_crops(pool: ImagePool, count: int = NUM_HELD_OUT) -> list[Image.Image]:
    """The same crops at every call."""
    rng = random.Random(HELD_OUT_SEED)
    return [pool.crop(rng) for _ in range(count)]


def write_pack(
    path: Path,
    training: ImagePool,
    held_out: ImagePool,
    *,
    max_bytes: int,
    seed: int = 0,
    num_held_out: int = NUM_HELD_OUT,
) -> None:
    """Writes as many squares as `max_bytes` hold, beside the held-out crops; whole or not at all.

    Raises:
        ValueError: no image of CROP_PX or more to train on or to measure with, or no room.
    """
    if not training.images or not held_out.images:
        raise ValueError(
            f"{len(training.images)} images to train on and {len(held_out.images)} to measure with"
        )
    rng, unfinished = random.Random(seed), path.with_name(path.name + ".part")
    with zipfile.ZipFile(unfinished, "w") as file:
        left = max_bytes

        def add(name: str, data: bytes) -> bool:
            nonlocal left
            left -= len(data) + ENTRY_BYTES
            if left >= 0:
                file.writestr(zipfile.ZipInfo(name, EPOCH), data)
            return left >= 0

        for number, crop in enumerate(held_out_crops(held_out, num_held_out)):
            add(f"held_out/{number:06}.png", _encoded(crop, "PNG"))
        number = 0
        while add(f"train/{number:06}.jpg", _encoded(training.square(rng, SQUARE_PX), "JPEG")):
            number += 1
    if not number:
        unfinished.unlink()
        raise ValueError(f"{max_bytes} bytes have no room for the held-out crops and a square")
    unfinished.replace(path)


def read_pack(path: Path) -> Pack:
    """Reads the whole pack into memory.

    Raises:
        ValueError: it is none.
    """
    data = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            contents = {name: file.read(name) for name in sorted(file.namelist())}
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path} is no pack of crops: {error}") from error
    squares = [each for name, each in contents.items() if name.startswith("train/")]
    held_out = [each for name, each in contents.items() if name.startswith("held_out/")]
    if not squares or not held_out:
        raise ValueError(f"{path}: {len(squares)} squares, {len(held_out)} held-out crops")
    return Pack(squares, held_out, hashlib.sha256(data).hexdigest())


def _encoded(image: Image.Image, kind: str) -> bytes:
    options = {"quality": JPEG_QUALITY, "subsampling": 0} if kind == "JPEG" else {}
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
