"""PNG files written by hand: every colour type, depth, row filter and interlacing."""

import struct
import zlib
from collections.abc import Sequence

import numpy as np

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
# Adam7: first column and row of each pass, and the steps.
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
PASSES = (*PASSES, (0, 1, 1, 2))


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk with its right checksum."""
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def write_png(
    samples: np.ndarray,
    *,
    depth: int,
    kind: int,
    interlaced: bool = False,
    before: Sequence[bytes] = (),
) -> bytes:
    """A file of (H, W, channels) numbers; `before` are whole chunks between header and data."""
    height, width = samples.shape[:2]
    header = struct.pack(">2I5B", width, height, depth, kind, 0, 0, int(interlaced))
    parts = [samples]
    if interlaced:
        parts = [samples[y::down, x::across] for x, y, across, down in PASSES]
    rows = b"".join(_filtered(part, depth) for part in parts if part.size)
    deflated = zlib.compress(rows)
    half = len(deflated) // 2
    data = chunk(b"IDAT", deflated[:half]) + chunk(b"IDAT", deflated[half:])
    return b"\x89PNG\r\n\x1a\n" + b"".join([chunk(b"IHDR", header), *before, data]) + END


END = chunk(b"IEND", b"")


def _filtered(part: np.ndarray, depth: int) -> bytes:
    """The rows, filtered by all five filters in turn."""
    height, _, channels = part.shape
    rows = _pack(part.reshape(height, -1), depth).astype(np.int64)
    step = max(1, channels * depth // 8)
    left = np.zeros_like(rows)
    left[:, step:] = rows[:, :-step]
    above = np.vstack([np.zeros_like(rows[:1]), rows[:-1]])
    corner = np.zeros_like(rows)
    corner[1:, step:] = rows[:-1, :-step]
    guess = left + above - corner
    far = [abs(guess - other) for other in (left, above, corner)]
    paeth = np.where(
        (far[0] <= far[1]) & (far[0] <= far[2]), left, np.where(far[1] <= far[2], above, corner)
    )
    guesses = (np.zeros_like(rows), left, above, (left + above) // 2, paeth)
    coded = bytearray()
    for n, row in enumerate(rows):
        coded += bytes([n % 5]) + ((row - guesses[n % 5][n]) % 256).astype(np.uint8).tobytes()
    return bytes(coded)


def _pack(rows: np.ndarray, depth: int) -> np.ndarray:
    if depth == 16:
        return rows.astype(">u2").view(np.uint8)
    if depth == 8:
        return rows.astype(np.uint8)
    places = np.arange(depth - 1, -1, -1)
    bits = ((rows[..., None] >> places) & 1).reshape(len(rows), -1)
    return np.packbits(bits.astype(np.uint8), axis=1)
