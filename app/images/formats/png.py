"""PNG, by libpng: Pillow throws the lower half of 16-bit numbers away, and fills up missing rows.

Texts, colour profiles and all else that is not the picture are dropped before a decoder sees the
file: their size and their deflated bombs are nobody's concern. What tells the orientation stays.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import imagecodecs
from PIL import Image

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
GREY_ALPHA, RGBA = 4, 6
# By colour type; a palette is one channel.
NUM_CHANNELS = {0: 1, 2: 3, 3: 1, GREY_ALPHA: 2, RGBA: 4}


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
    kept = [header]
    for chunk in chunks:
        if chunk.name == b"acTL" and bytes(chunk.content[:4]) > b"\0\0\0\1":
            raise SeveralFrames("The file is an animation; send one picture.")
        if chunk.name in KEPT or _tells_orientation(chunk):
            kept.append(chunk)
    # Palettes and colours that stand for nothing come as RGB and alpha.
    stored: Samples = imagecodecs.png_decode(_join(kept))
    samples = stored.reshape(height, width, -1)
    has_alpha = samples.shape[2] in (2, 4)
    return Picture(
        samples=samples[..., :-1] if has_alpha else samples,
        alpha=samples[..., -1] if has_alpha else None,
        alpha_is_channel=kind in (GREY_ALPHA, RGBA),
        bits=None if depth == 16 else 8,
        storage_bits=16 if depth == 16 else 8,
        orientation=_orientation(kept),
        num_channels=NUM_CHANNELS.get(kind, samples.shape[2]),
    )


def _join(chunks: list[_Chunk]) -> bytes:
    return SIGNATURE + b"".join(chunk.whole for chunk in chunks)


def _orientation(chunks: list[_Chunk]) -> int:
    # Pillow would decode the data to look for Exif behind them.
    without_data = _join([chunk for chunk in chunks if chunk.name != b"IDAT"])
    with Image.open(io.BytesIO(without_data), formats=("PNG",)) as image:
        return read_orientation(image)


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
