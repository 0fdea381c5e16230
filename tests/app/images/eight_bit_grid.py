"""BMP by hand, WebP and JPEG by Pillow: formats of 8 bits."""

import io
import struct
from collections.abc import Iterator
from itertools import product

import numpy as np
from PIL import Image

from tests.app.images.grid_variant import (
    ALPHAS,
    HEIGHT,
    WIDTH,
    Variant,
    drawn,
    drawn_alpha,
    seen,
)


def bmp_files(draw: np.random.Generator) -> Iterator[Variant]:
    colours = drawn(draw, 3, 8)
    for upside_down in (False, True):
        rows = colours[..., ::-1] if upside_down else colours[::-1, :, ::-1]
        layout = "first row first" if upside_down else "last row first"
        height = -HEIGHT if upside_down else HEIGHT
        yield Variant("BMP", "RGB", "8", layout, _bmp(rows, 24, height), colours)
        unused = np.dstack([rows, np.zeros((HEIGHT, WIDTH), np.uint8)])
        yield Variant("BMP", "RGB + unused", "8", layout, _bmp(unused, 32, height), colours)
    alpha = drawn_alpha(draw, 8, "varied")
    rows = np.dstack([colours[::-1, :, ::-1], alpha[::-1]])
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + bytes(52)
    content = _bmp(rows, 32, HEIGHT, compression=3, behind_header=masks)
    yield Variant("BMP", "RGB + alpha", "8", "last row first", content, seen(colours, 8, alpha))
    five = drawn(draw, 3, 5).astype(np.uint16)
    packed = five[..., 0] << 10 | five[..., 1] << 5 | five[..., 2]
    content = _bmp(packed[::-1].astype("<u2").view(np.uint8)[..., None], 16, HEIGHT)
    # Pillow and others round down where they could round to the nearest.
    yield Variant("BMP", "RGB", "5", "last row first", content, seen(five, 5), tolerance=1)
    for bits in (1, 4, 8):
        indices = drawn(draw, 1, bits)
        palette = draw.integers(0, 256, (2**bits, 3)).astype(np.uint8)
        table = b"".join(bytes([*colour[::-1], 0]) for colour in palette)
        places = np.arange(bits - 1, -1, -1)
        spread = ((indices[::-1, :, 0, None] >> places) & 1).reshape(HEIGHT, -1)
        content = _bmp(np.packbits(spread, axis=1)[..., None], bits, HEIGHT, behind_header=table)
        picture = palette[indices[..., 0]]
        yield Variant("BMP", "palette", str(bits), "last row first", content, picture)
    runs = b"".join(
        b"".join(bytes([1, index]) for index in row) + b"\0\0" for row in indices[::-1, :, 0]
    )
    rows = np.frombuffer(runs + b"\0\1", np.uint8)
    content = _bmp(rows, 8, HEIGHT, compression=1, behind_header=table)
    yield Variant("BMP", "palette", "8", "run lengths", content, picture)


def _bmp(
    rows: np.ndarray, bits: int, height: int, *, compression: int = 0, behind_header: bytes = b""
) -> bytes:
    """`rows` as they are stored; they are padded to four bytes, unless compressed."""
    body = rows.tobytes()
    if not compression or compression == 3:
        lines = rows.reshape(HEIGHT, -1)
        body = np.pad(lines, ((0, 0), (0, -lines.shape[1] % 4))).tobytes()
    is_version_4 = compression == 3
    size = 108 if is_version_4 else 40
    header = struct.pack(
        "<IiiHHIIiiII", size, WIDTH, height, 1, bits, compression, len(body), 0, 0, 0, 0
    )
    start = 14 + 40 + len(behind_header)
    head = b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start)
    return head + header + behind_header + body


def webp_files(draw: np.random.Generator) -> Iterator[Variant]:
    colours = drawn(draw, 3, 8)
    yield Variant("WebP", "RGB", "8", "lossless", _pillow(colours, "WEBP"), colours)
    for how in ALPHAS:
        alpha = drawn_alpha(draw, 8, how)
        content = _pillow(np.dstack([colours, alpha]), "WEBP")
        picture = seen(colours, 8, alpha)
        yield Variant("WebP", "RGB + alpha", "8", f"lossless, {how}", content, picture)
    smooth = _smooth(draw)
    content = _pillow(smooth, "WEBP", lossless=False, quality=95)
    yield Variant("WebP", "RGB", "8", "lossy", content, smooth, tolerance=24)


def jpeg_files(draw: np.random.Generator) -> Iterator[Variant]:
    smooth = _smooth(draw)
    for progressive, (sampling, named) in product((False, True), ((0, "4:4:4"), (2, "4:2:0"))):
        options = {"quality": 95, "subsampling": sampling, "progressive": progressive}
        layout = f"{'progressive' if progressive else 'baseline'}, {named}"
        content = _pillow(smooth, "JPEG", **options)
        yield Variant("JPEG", "RGB", "8", layout, content, smooth, tolerance=24)
    grey = smooth[..., 0]
    picture = np.broadcast_to(grey[..., None], smooth.shape)
    yield Variant("JPEG", "grey", "8", "baseline", _pillow(grey, "JPEG"), picture, tolerance=24)
    light = Image.fromarray(255 - smooth)
    inks = Image.merge("CMYK", [*light.split(), Image.new("L", light.size)])
    content = _pillow(np.asarray(inks), "JPEG", mode="CMYK", quality=95)
    yield Variant("JPEG", "CMYK", "8", "baseline", content, smooth, tolerance=24)


def _smooth(draw: np.random.Generator) -> np.ndarray:
    """A picture that survives a coding with loss."""
    small = Image.fromarray(draw.integers(60, 200, (4, 4, 3)).astype(np.uint8))
    return np.asarray(small.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))


def _pillow(pixels: np.ndarray, kind: str, *, mode: str | None = None, **options: object) -> bytes:
    image = Image.fromarray(pixels)
    if mode is not None:
        image = Image.frombytes(mode, (WIDTH, HEIGHT), pixels.tobytes())
    buffer = io.BytesIO()
    if kind == "WEBP":
        options = {"lossless": True, "exact": True} | options
    image.save(buffer, kind, **options)
    return buffer.getvalue()
