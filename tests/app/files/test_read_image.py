"""What becomes of unusual images, and that bombs are refused before they are decoded."""

import contextlib
import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from app.files.read_image import ImageLimits, read_image
from app.problems import (
    DamagedImage,
    EmptyImage,
    ImageTooLarge,
    ImageTooSmall,
    NotAnImage,
    SeveralFrames,
    UnusableImage,
)
from tests.conftest import encode, texture

LIMITS = ImageLimits(max_bytes=2_000_000, max_pixels=1_000_000, min_side_px=32)
RED = (255, 0, 0)


def pixels(data: bytes) -> np.ndarray:
    image = read_image(data, LIMITS)
    assert image.mode == "RGB"
    return np.asarray(image)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_come_back_as_they_were(kind: str):
    image = texture()
    assert np.array_equal(pixels(encode(image, kind)), np.asarray(image))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats_are_read(kind: str):
    image = texture()
    difference = pixels(encode(image, kind)).astype(int) - np.asarray(image)
    assert abs(difference).mean() < 12


def test_reading_twice_changes_nothing():
    once = read_image(encode(texture(), "JPEG"), LIMITS)
    assert np.array_equal(pixels(encode(once)), np.asarray(once))


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_by_the_camera_s_bits(bits: int, kind: str):
    white = 2**bits - 1
    ramp = np.linspace(0, white, 64 * 64).astype(np.uint16).reshape(64, 64)
    read = pixels(encode(Image.fromarray(ramp), kind))
    assert np.array_equal(read[..., 0], np.round(ramp * 255.0 / white).astype(np.uint8))
    assert np.array_equal(read[..., 0], read[..., 2])


def test_16_bit_colour_is_scaled_as_grey_is():
    size = (40, 40)
    rows = b"".join(b"\0" + struct.pack(">3H", 0x12FF, 0x8000, 0xFE01) * 40 for _ in range(40))
    read = pixels(png(size, rows, depth=16, colour_type=2))
    assert read[0, 0].tolist() == [round(v * 255 / 65535) for v in (0x12FF, 0x8000, 0xFE01)]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_mode_becomes_rgb(mode: str):
    image = Image.new("RGB", (40, 40), "white").convert(mode)
    assert pixels(encode(image))[3, 3].tolist() == [255, 255, 255]


def test_cmyk_becomes_rgb():
    image = Image.new("RGB", (40, 40), RED).convert("CMYK")
    assert pixels(encode(image, "TIFF"))[3, 3].tolist() == list(RED)


def test_transparency_is_laid_on_white():
    image = Image.new("RGBA", (40, 40), (*RED, 0))
    image.paste((*RED, 255), (0, 0, 20, 40))
    read = pixels(encode(image))
    assert read[5, 5].tolist() == list(RED)
    assert read[5, 35].tolist() == [255, 255, 255]


def test_a_transparent_palette_entry_is_laid_on_white():
    image = Image.new("P", (40, 40), 1)
    image.putpalette([0, 0, 0, *RED])
    assert pixels(encode(image, transparency=1))[0, 0].tolist() == [255, 255, 255]


def test_a_rotated_photograph_is_turned_upright():
    image = texture((80, 40))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = read_image(encode(image, "PNG", exif=exif), LIMITS)
    assert turned.size == (40, 80)
    assert np.array_equal(np.asarray(turned), np.rot90(np.asarray(image), -1))


def test_empty():
    with pytest.raises(EmptyImage):
        read_image(b"", LIMITS)


@pytest.mark.parametrize(
    "data",
    [
        b"hello",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"BM",
        b"II*\0",
        b"RIFF\0\0\0\0WEBP",
        encode(texture(), "GIF"),
        b"%PDF-1.4",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
)
def test_not_an_image(data: bytes):
    with pytest.raises(NotAnImage):
        read_image(data, LIMITS)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF", "WEBP"])
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_truncated_file_is_never_taken(kind: str, kept: float):
    data = encode(texture((128, 128)), kind)
    with pytest.raises((DamagedImage, NotAnImage)):
        read_image(data[: int(len(data) * kept)], LIMITS)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF", "WEBP"])
def test_flipped_bytes_are_read_or_refused_and_nothing_else(kind: str):
    data = encode(texture((64, 64)), kind)
    draw = np.random.default_rng(0)
    for _ in range(60):
        broken = bytearray(data)
        for place in draw.integers(len(data), size=4):
            broken[place] = draw.integers(256)
        with contextlib.suppress(UnusableImage):
            read_image(bytes(broken), LIMITS)


def png(size: tuple[int, int], rows: bytes, *, depth: int = 8, colour_type: int = 0) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)

    header = struct.pack(">2I5B", *size, depth, colour_type, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("side", [1_001, 12_000, 60_000])
def test_a_bomb_is_refused_before_it_is_decoded(side: int):
    bomb = png((side, side), b"\0" * (20 * 2**20))
    assert len(bomb) < 30_000
    tracemalloc.start()
    with pytest.raises(ImageTooLarge):
        read_image(bomb, LIMITS)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 1_000_000


def test_too_many_bytes():
    with pytest.raises(ImageTooLarge):
        read_image(b"x" * 2_000_001, LIMITS)


@pytest.mark.parametrize("size", [(31, 200), (200, 31), (1, 1)])
def test_too_small(size: tuple[int, int]):
    with pytest.raises(ImageTooSmall):
        read_image(encode(Image.new("RGB", size)), LIMITS)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_several_frames(kind: str):
    data = encode(texture(), kind, save_all=True, append_images=[texture(seed=1)])
    with pytest.raises(SeveralFrames):
        read_image(data, LIMITS)


def test_a_phone_s_second_picture_is_ignored():
    buffer = io.BytesIO()
    texture().save(buffer, "MPO", save_all=True, append_images=[texture(seed=1)])
    assert pixels(buffer.getvalue()).shape == (64, 64, 3)
