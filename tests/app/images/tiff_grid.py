"""TIFF in every kind of pixels, depth, layout and transparency, and what has no certain meaning."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from tests.app.images import tiff_writer as tiff
from tests.app.images.grid_variant import (
    ALPHAS,
    HEIGHT,
    WIDTH,
    Variant,
    drawn,
    drawn_alpha,
    seen,
)
from tests.app.images.tiff_writer import TiffLayout


def tiff_pixels(draw: np.random.Generator) -> Iterator[Variant]:
    """Kinds of pixels by depth, planes and byte order."""
    kinds = {
        "grey": (1, tiff.BLACK_IS_ZERO),
        "grey, WhiteIsZero": (1, tiff.WHITE_IS_ZERO),
        "RGB": (3, tiff.RGB),
        "CMYK": (4, tiff.CMYK),
    }
    depths = [(bits, bits) for bits in (1, 2, 4, 8, 10, 12, 14, 16)]
    depths += [(bits, 16) for bits in (10, 12, 14)] + [(12, 32), (16, 32)]
    for (pixels, (channels, photometric)), (bits, stored), planar, order in product(
        kinds.items(), depths, (1, 2), "<>"
    ):
        if (channels == 1 and planar == 2) or (channels == 4 and stored not in (8, 16)):
            continue
        numbers = drawn(draw, channels, bits)
        layout = TiffLayout(bits=stored, photometric=photometric, planar=planar, order=order)
        written = numbers.astype(np.uint32) if stored == 32 else numbers
        picture: np.ndarray | None
        if channels == 4:
            # Nothing says which number of 10 in 16 bits is full ink.
            picture = _printed(numbers, bits) if bits in (8, 16) else None
        else:
            picture = seen(numbers, bits, inverted=photometric == tiff.WHITE_IS_ZERO)
        depth = str(bits) if bits == stored else f"{bits} in {stored}"
        yield _tiff(pixels, depth, written, layout, picture)
    for signed_bits, bits in product((16, 32), (8, 10, 12, 14)):
        numbers = drawn(draw, 1, bits)
        layout = TiffLayout(
            bits=signed_bits, photometric=tiff.BLACK_IS_ZERO, sample_format=tiff.INT
        )
        written = numbers.astype(np.int16 if signed_bits == 16 else np.int32)
        depth = f"{bits} in {signed_bits}"
        yield _tiff("grey, signed", depth, written, layout, seen(numbers, bits))
    numbers = drawn(draw, 1, 15)
    layout = TiffLayout(bits=16, photometric=tiff.BLACK_IS_ZERO, sample_format=tiff.INT)
    written = numbers.astype(np.int16)
    yield _tiff("grey, signed", "15 in 16", written, layout, seen(numbers, 15))


def _printed(inks: np.ndarray, bits: int) -> np.ndarray:
    light = 1 - inks / (2**bits - 1)
    return np.rint(light[..., :3] * light[..., 3:] * 255).astype(np.uint8)


def tiff_layouts(draw: np.random.Generator) -> Iterator[Variant]:
    """Compression, predictor, strips or tiles, planes and byte order, at three depths."""
    compressions = {
        tiff.NONE: "uncompressed",
        tiff.LZW: "LZW",
        tiff.DEFLATE: "deflate",
        tiff.PACKBITS: "PackBits",
    }
    for (compression, named), (bits, stored), channels, planar, order, tiled, predictor in product(
        compressions.items(),
        ((8, 8), (12, 16), (16, 16)),
        (1, 3),
        (1, 2),
        "<>",
        (False, True),
        (1, 2),
    ):
        if (channels == 1 and planar == 2) or (predictor == 2 and compression not in (5, 8)):
            continue
        numbers = drawn(draw, channels, bits)
        layout = TiffLayout(
            bits=stored,
            photometric=tiff.RGB if channels == 3 else tiff.BLACK_IS_ZERO,
            order=order,
            planar=planar,
            compression=compression,
            predictor=predictor,
            tiled=tiled,
        )
        depth = str(bits) if bits == stored else f"{bits} in {stored}"
        pixels = "RGB" if channels == 3 else "grey"
        variant = _tiff(pixels, depth, numbers, layout, seen(numbers, bits))
        how = f"{named}{', predictor' if predictor == 2 else ''}{', tiles' if tiled else ''}"
        yield replace(variant, layout=f"{variant.layout}, {how}")


def tiff_palettes(draw: np.random.Generator) -> Iterator[Variant]:
    for bits, order, scale in product((1, 2, 4, 8), "<>", (1, 256, 257)):
        indices = drawn(draw, 1, bits)
        colours = draw.integers(0, 256, (2**bits, 3))
        colours[0] = 255
        layout = TiffLayout(
            bits=bits,
            photometric=tiff.PALETTE,
            order=order,
            more=tiff.palette_tag(colours * scale),
        )
        picture = colours.astype(np.uint8)[indices[..., 0]]
        variant = _tiff("palette", str(bits), indices, layout, picture)
        yield replace(variant, layout=f"{variant.layout}, colours times {scale}")


def tiff_alphas(draw: np.random.Generator) -> Iterator[Variant]:
    kinds = {
        "associated": tiff.ASSOCIATED,
        "unassociated": tiff.UNASSOCIATED,
        "unspecified": tiff.UNSPECIFIED,
    }
    for (named, kind), how, channels, (bits, stored), planar, order in product(
        kinds.items(), ALPHAS, (1, 3), ((8, 8), (12, 16), (16, 16)), (1, 2), "<>"
    ):
        colours, alpha = drawn(draw, channels, bits), drawn_alpha(draw, bits, how)
        if kind == tiff.ASSOCIATED and how == "varied":
            colours = np.minimum(colours, alpha)
        layout = TiffLayout(
            bits=stored,
            photometric=tiff.RGB if channels == 3 else tiff.BLACK_IS_ZERO,
            order=order,
            planar=planar,
            extra=(kind,),
        )
        used = None if kind == tiff.UNSPECIFIED else alpha
        picture = seen(colours, bits, used, premultiplied=kind == tiff.ASSOCIATED)
        pixels = f"{'RGB' if channels == 3 else 'grey'} + {named}"
        depth = str(bits) if bits == stored else f"{bits} in {stored}"
        variant = _tiff(pixels, depth, np.dstack([colours, alpha]), layout, picture)
        yield replace(variant, layout=f"{variant.layout}, {how}")


def tiff_without_meaning(draw: np.random.Generator) -> Iterator[Variant]:
    """Numbers of which nothing says which is white."""
    grey = {"photometric": tiff.BLACK_IS_ZERO}
    ramp = np.linspace(-1, 1, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH, 1)
    for kind, order in product((np.float16, np.float32, np.float64), "<>"):
        bits = np.dtype(kind).itemsize * 8
        layout = TiffLayout(bits=bits, sample_format=tiff.FLOAT, order=order, **grey)
        yield _tiff("grey, floating point", str(bits), abs(ramp).astype(kind), layout, None)
    for kind, order in product((np.int8, np.int16, np.int32), "<>"):
        bits = np.dtype(kind).itemsize * 8
        layout = TiffLayout(bits=bits, sample_format=tiff.INT, order=order, **grey)
        numbers = (ramp * (2 ** (bits - 1) - 1)).astype(kind)
        yield _tiff("grey, signed, below 0", str(bits), numbers, layout, None)
    for order in "<>":
        numbers = draw.integers(0, 2**32, (HEIGHT, WIDTH, 1)).astype(np.uint32)
        layout = TiffLayout(bits=32, order=order, **grey)
        yield _tiff("grey, above 16 bits", "32", numbers, layout, None)


def _tiff(
    pixels: str, depth: str, numbers: np.ndarray, layout: TiffLayout, picture: np.ndarray | None
) -> Variant:
    planes = "separate planes" if layout.planar == 2 else "pixel by pixel"
    order = "big-endian" if layout.order == ">" else "little-endian"
    content = tiff.write_tiff(numbers, layout)
    return Variant("TIFF", pixels, depth, f"{planes}, {order}", content, picture)
