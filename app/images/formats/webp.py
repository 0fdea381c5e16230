"""WebP, by Pillow, which takes memory for the whole canvas as soon as it opens a file."""

import struct

from app.images.formats.eight_bit import read_eight_bit
from app.images.formats.size_limit import check_size
from app.images.limits import ImageLimits
from app.images.picture import Picture
from app.problems import NotAnImage


def is_webp(data: bytes) -> bool:
    """Whether the bytes begin like WebP."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def read_webp(data: bytes, limits: ImageLimits) -> Picture:
    """The picture.

    Raises:
        NotAnImage: the header makes no sense.
        ImageTooLarge, ImageTooSmall: the header says so.
        SeveralFrames: an animation.
    """
    size = _declared_size(data)
    if size is None:
        raise NotAnImage("It begins like WebP, but its header makes no sense.")
    check_size(*size, limits)
    return read_eight_bit(data, ("WEBP",), limits)


def _declared_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) of the canvas or of the only picture.

    Source: RFC 9649, sections 2.7 (VP8X) and 3.4 (VP8L); RFC 6386, section 9.1 (VP8).
    """
    kind, body = data[12:16], data[20:30]
    if len(body) < 10:
        return None
    if kind == b"VP8X":
        width, height = (int.from_bytes(body[n : n + 3], "little") + 1 for n in (4, 7))
        return width, height
    if kind == b"VP8L" and body[0] == 0x2F:
        packed = int.from_bytes(body[1:5], "little")
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<2H", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return None
