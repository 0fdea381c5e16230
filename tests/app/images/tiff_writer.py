"""TIFF files written by hand, so that what a reader makes of them is checked by nothing of its own.

Source: TIFF 6.0; the compressions are the plainest that are valid: runs of literals.
"""

import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

NONE, LZW, DEFLATE, PACKBITS = 1, 5, 8, 32773
UINT, INT, FLOAT = 1, 2, 3
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK = 0, 1, 2, 3, 5
ASSOCIATED, UNASSOCIATED, UNSPECIFIED = 1, 2, 0


@dataclass(frozen=True, kw_only=True)
class TiffLayout:
    """How the numbers are laid out; `more` are further tags, as (type, values)."""

    bits: int
    photometric: int
    order: str = "<"
    planar: int = 1
    compression: int = NONE
    predictor: int = 1
    sample_format: int = UINT
    extra: tuple[int, ...] = ()
    tiled: bool = False
    rows_per_strip: int = 10
    more: dict[int, tuple[int, tuple[int, ...]]] = field(default_factory=dict)


def write_tiff(samples: np.ndarray, layout: TiffLayout, *, before: bytes = b"") -> bytes:
    """A file of one page: `samples` is (H, W, channels); `before` stands ahead of the pixels."""
    height, width, channels = samples.shape
    planes = [samples] if layout.planar == 1 else [samples[..., n : n + 1] for n in range(channels)]
    segments = [segment for plane in planes for segment in _segments(plane, layout)]
    coded = [_compress(_pack(segment, layout), layout.compression) for segment in segments]
    tags: dict[int, tuple[int, tuple[int, ...]]] = {
        256: (4, (width,)),
        257: (4, (height,)),
        258: (3, (layout.bits,) * channels),
        259: (3, (layout.compression,)),
        262: (3, (layout.photometric,)),
        277: (3, (channels,)),
        284: (3, (layout.planar,)),
    }
    if layout.predictor != 1:
        tags[317] = (3, (layout.predictor,))
    if layout.extra:
        tags[338] = (3, layout.extra)
    if layout.sample_format != UINT:
        tags[339] = (3, (layout.sample_format,) * channels)
    offsets, place = [], 8 + len(before)
    for part in coded:
        offsets.append(place)
        place += len(part)
    counts = tuple(len(part) for part in coded)
    if layout.tiled:
        tags |= {322: (4, (16,)), 323: (4, (16,)), 324: (4, tuple(offsets)), 325: (4, counts)}
    else:
        tags |= {273: (4, tuple(offsets)), 278: (4, (layout.rows_per_strip,)), 279: (4, counts)}
    body = before + b"".join(coded)
    directory = write_directory(tags | layout.more, 8 + len(body), layout.order)
    magic = b"II*\0" if layout.order == "<" else b"MM\0*"
    return magic + struct.pack(layout.order + "I", 8 + len(body)) + body + directory


def write_directory(
    tags: dict[int, tuple[int, tuple[int, ...]]], start: int, order: str, next_directory: int = 0
) -> bytes:
    """The directory that begins at `start`, with the values that do not fit into it behind it."""
    formats = {1: "B", 3: "H", 4: "I"}
    head_size = 2 + 12 * len(tags) + 4
    entries, behind = b"", b""
    for tag, (kind, values) in sorted(tags.items()):
        content = struct.pack(f"{order}{len(values)}{formats[kind]}", *values)
        if len(content) > 4:
            place = start + head_size + len(behind)
            behind += content
            content = struct.pack(order + "I", place)
        entries += struct.pack(order + "HHI", tag, kind, len(values)) + content.ljust(4, b"\0")
    head = struct.pack(order + "H", len(tags)) + entries + struct.pack(order + "I", next_directory)
    return head + behind


def _segments(plane: np.ndarray, layout: TiffLayout) -> list[np.ndarray]:
    height, width, channels = plane.shape
    if not layout.tiled:
        rows = layout.rows_per_strip
        return [plane[top : top + rows] for top in range(0, height, rows)]
    whole = np.zeros((-(-height // 16) * 16, -(-width // 16) * 16, channels), plane.dtype)
    whole[:height, :width] = plane
    return [
        whole[top : top + 16, left : left + 16]
        for top in range(0, whole.shape[0], 16)
        for left in range(0, whole.shape[1], 16)
    ]


def _pack(segment: np.ndarray, layout: TiffLayout) -> bytes:
    if layout.predictor == 2:
        first = np.zeros_like(segment[:, :1])
        segment = np.diff(segment, axis=1, prepend=first)
    rows = segment.reshape(segment.shape[0], -1)
    if layout.bits % 8 == 0:
        return rows.astype(rows.dtype.newbyteorder(layout.order)).tobytes()
    places = np.arange(layout.bits - 1, -1, -1)
    return np.packbits(
        ((rows[..., None] >> places) & 1).reshape(len(rows), -1).astype(np.uint8), axis=1
    ).tobytes()


def _compress(data: bytes, compression: int) -> bytes:
    if compression == NONE:
        return data
    if compression == DEFLATE:
        return zlib.compress(data)
    if compression == PACKBITS:
        runs = (data[n : n + 128] for n in range(0, len(data), 128))
        return b"".join(bytes([len(run) - 1]) + run for run in runs)
    # LZW of 9-bit codes: before the table can grow to 10 bits, it is cleared.
    codes: list[int] = []
    for n in range(0, len(data), 250):
        codes += [256, *data[n : n + 250]]
    bits = "".join(f"{code:09b}" for code in [*codes, 257])
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def palette_tag(colours: np.ndarray) -> dict[int, Any]:
    """A ColorMap of (n, 3) numbers of 16 bits."""
    return {320: (3, tuple(int(v) for v in colours.T.reshape(-1)))}
