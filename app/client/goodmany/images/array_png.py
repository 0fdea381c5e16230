"""A NumPy array as a PNG, without loss and without NumPy: Pillow writes no colour of 16 bits."""

import struct
import zlib
from typing import Any, Protocol, TypeGuard

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
BITS = {"uint8": 8, "uint16": 16}


class ImageArray(Protocol):
    """What is used of a `numpy.ndarray`."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102

    @property
    def dtype(self) -> Any: ...  # noqa: D102

    def astype(self, dtype: str) -> Any: ...  # noqa: D102


def is_array(value: object) -> TypeGuard[ImageArray]:
    """Whether the value is an array of NumPy's kind."""
    return all(hasattr(value, name) for name in ("shape", "dtype", "astype", "__array_interface__"))


def encode_array(array: ImageArray) -> bytes:
    """The array as a PNG file.

    Args:
        array: H x W (grey) or H x W x C with C from 1 to 4 (grey, grey + alpha, RGB, RGBA); uint8,
            or uint16 with white as the camera has it.

    Raises:
        ValueError: it is something else.
    """
    height, width, *channels = array.shape if len(array.shape) > 1 else (0, 0)
    num_channels = channels[0] if channels else 1
    bits = BITS.get(array.dtype.name)
    if bits is None or len(channels) > 1 or num_channels not in COLOUR_TYPES or not height * width:
        shape = " x ".join(map(str, array.shape))
        raise ValueError(
            f"An array of {shape or 'no axis'}, {array.dtype}, is no image: H x W or H x W x C "
            "with up to 4 channels, uint8 or uint16."
        )
    # PNG has the larger byte first.
    pixels: bytes = array.astype(f">u{bits // 8}").tobytes()
    row_bytes = width * num_channels * bits // 8
    rows = (pixels[start : start + row_bytes] for start in range(0, len(pixels), row_bytes))
    head = struct.pack(">IIBBBBB", width, height, bits, COLOUR_TYPES[num_channels], 0, 0, 0)
    # A zero before each row: no filter.
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 1)
    return SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
