"""PNG: Pillow up to 8 bits; above that it would throw the lower half of each number away.

Texts, colour profiles and all else that is not the picture are dropped before a decoder sees the
file: their size and their deflated bombs are nobody's concern. What tells the orientation stays.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import imagecodecs
import numpy as np
from PIL import Image

from app.images.formats.eight_bit import read_eight_bit
from app.images.formats.size_limit import check_size
from app.images.limits import ImageLimits
from app.images.orientation import read_orientation
from app.images.picture import Picture, Samples
from app.problems import DamagedImage, ImageTooCostly, NotAnImage, SeveralFrames

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# 64 MiB in data chunks of 1 KiB, which no encoder makes smaller.
MAX_CHUNKS = 65_536
KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"eXIf", b"IDAT", b"IEND"})
# Where ImageMagick and Adobe's programs keep the orientation.
TELLING_TEXTS = (b"Raw profile type exif\0", b"XML:com.adobe.xmp\0")
MAX_TEXT_BYTES = 2**18
GREY, RGB, GREY_ALPHA, RGBA = 0, 2, 4, 6


@dataclass(frozen=True)
class _Chunk:
    name: bytes
    content: memoryview
    whole: memoryview


def read_png(data: bytes, limits: ImageLimits) -> Picture:
    """The picture.

    Raises:
        NotAnImage: there is no header.
        DamagedImage: the file breaks off.
        ImageTooLarge, ImageTooSmall: the header says so.
        ImageTooCostly: it has more chunks than any real file.
        SeveralFrames: an animation.
    """
    chunks = _walk(data)
    header = next(chunks, None)
    if header is None or header.name != b"IHDR" or len(header.content) != 13:
        raise NotAnImage("It begins like PNG, but has no header.")
    width, height, depth, kind = struct.unpack(">2I2B", header.content[:10])
    check_size(width, height, limits)
    kept, colour_key = [header], None
    for chunk in chunks:
        if chunk.name == b"acTL" and bytes(chunk.content[:4]) > b"\0\0\0\1":
            raise SeveralFrames("The file is an animation; send one picture.")
        if chunk.name == b"tRNS" and depth == 16:
            colour_key = chunk.content
        elif chunk.name in KEPT or _tells_orientation(chunk):
            kept.append(chunk)
    if depth != 16:
        return read_eight_bit(_join(kept), ("PNG",), limits)
    return _read_sixteen_bit(kept, kind, colour_key)


def _walk(data: bytes) -> Iterator[_Chunk]:
    """The chunks one by one, up to the end of the picture.

    Raises:
        DamagedImage: the file ends before.
        ImageTooCostly: there are more chunks than any real file has.
    """
    view, start = memoryview(data), len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if start + 12 > len(data):
            break
        length, name = struct.unpack(">I4s", view[start : start + 8])
        end = start + 12 + length
        if end > len(data):
            break
        yield _Chunk(name, view[start + 8 : end - 4], view[start:end])
        if name == b"IEND":
            return
        start = end
    else:
        raise ImageTooCostly(f"A PNG of more than {MAX_CHUNKS} chunks.")
    if start > len(SIGNATURE):
        raise DamagedImage("The PNG breaks off.")


def _tells_orientation(chunk: _Chunk) -> bool:
    """Whether it is a text that a decoder may look into: telling, whole and of bounded size."""
    text = bytes(chunk.content[:MAX_TEXT_BYTES])
    keyword = next((word for word in TELLING_TEXTS if text.startswith(word)), None)
    if keyword is None or len(chunk.content) > MAX_TEXT_BYTES:
        return False
    if chunk.name == b"zTXt":
        return _is_small(text[len(keyword) + 1 :])
    if chunk.name == b"iTXt" and text[len(keyword) : len(keyword) + 1] == b"\1":
        return False
    return chunk.name in (b"tEXt", b"iTXt")


def _is_small(deflated: bytes) -> bool:
    inflate = zlib.decompressobj()
    try:
        inflate.decompress(deflated, MAX_TEXT_BYTES)
    except zlib.error:
        return False
    return inflate.eof


def _join(chunks: list[_Chunk]) -> bytes:
    return SIGNATURE + b"".join(chunk.whole for chunk in chunks)


def _read_sixteen_bit(kept: list[_Chunk], kind: int, colour_key: memoryview | None) -> Picture:
    # Pillow would decode the data to look for Exif behind them.
    without_data = _join([chunk for chunk in kept if chunk.name != b"IDAT"])
    with Image.open(io.BytesIO(without_data), formats=("PNG",)) as image:
        orientation = read_orientation(image)
    stored: Samples = imagecodecs.png_decode(_join(kept))
    height, width = stored.shape[:2]
    samples = stored.reshape(height, width, -1)
    num_channels = samples.shape[2]
    alpha = None
    if kind in (GREY_ALPHA, RGBA):
        samples, alpha = samples[..., :-1], samples[..., -1]
    elif colour_key is not None:
        alpha = _seen_beside(samples, colour_key)
    return Picture(
        samples=samples,
        alpha=alpha,
        alpha_is_channel=colour_key is None,
        bits=None,
        storage_bits=16,
        orientation=orientation,
        num_channels=num_channels,
    )


def _seen_beside(samples: Samples, colour_key: memoryview) -> Samples:
    """Alpha of an image in which one colour stands for nothing."""
    hidden = np.frombuffer(colour_key, ">u2")
    if len(hidden) != samples.shape[2]:
        raise DamagedImage("The PNG's transparent colour has the wrong length.")
    seen = (samples != hidden).any(axis=2)
    return seen.astype(np.uint16) * np.uint16(65535)
