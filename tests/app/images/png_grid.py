"""PNG in every colour type, depth, interlacing and kind of transparency."""

import struct
from collections.abc import Iterator
from itertools import product

import numpy as np

from tests.app.images import png_writer as png
from tests.app.images.grid_variant import ALPHAS, Variant, drawn, drawn_alpha, seen


def png_pixels(draw: np.random.Generator) -> Iterator[Variant]:
    for stored, interlaced in product((1, 2, 4), (False, True)):
        grey = drawn(draw, 1, stored)
        content = png.write_png(grey, depth=stored, kind=png.GREY, interlaced=interlaced)
        layout = "interlaced" if interlaced else "plain"
        yield Variant("PNG", "grey", str(stored), layout, content, seen(grey, stored))
    kinds = {"grey": (1, png.GREY, png.GREY_ALPHA), "RGB": (3, png.RGB, png.RGBA)}
    for (pixels, (channels, plain, with_alpha)), (bits, stored), interlaced in product(
        kinds.items(), ((8, 8), (10, 16), (12, 16), (14, 16), (16, 16)), (False, True)
    ):
        depth = str(bits) if bits == stored else f"{bits} in {stored}"
        layout = "interlaced" if interlaced else "plain"
        options = {"depth": stored, "interlaced": interlaced}
        colours = drawn(draw, channels, bits)
        content = png.write_png(colours, kind=plain, **options)
        yield Variant("PNG", pixels, depth, layout, content, seen(colours, bits))
        yield _colour_key(colours, bits, f"{pixels} + colour key", depth, options | {"kind": plain})
        for how in ALPHAS:
            alpha = drawn_alpha(draw, bits, how)
            content = png.write_png(np.dstack([colours, alpha]), kind=with_alpha, **options)
            picture = seen(colours, bits, alpha)
            yield Variant("PNG", f"{pixels} + alpha", depth, f"{layout}, {how}", content, picture)


def _colour_key(colours: np.ndarray, bits: int, pixels: str, depth: str, options: dict) -> Variant:
    """One colour stands for nothing."""
    key = colours[7, 7]
    tag = png.chunk(b"tRNS", struct.pack(f">{len(key)}H", *key))
    content = png.write_png(colours, before=[tag], **options)
    alpha = (colours != key).any(axis=2, keepdims=True) * (2**bits - 1)
    layout = "interlaced" if options["interlaced"] else "plain"
    return Variant("PNG", pixels, depth, layout, content, seen(colours, bits, alpha))


def png_palettes(draw: np.random.Generator) -> Iterator[Variant]:
    for depth, interlaced in product((1, 2, 4, 8), (False, True)):
        indices = drawn(draw, 1, depth)
        colours = draw.integers(0, 256, (2**depth, 3)).astype(np.uint8)
        opacity = draw.integers(0, 256, 2**depth).astype(np.uint8)
        tags = [png.chunk(b"PLTE", colours.tobytes())]
        options = {"depth": depth, "kind": png.PALETTE, "interlaced": interlaced}
        layout = "interlaced" if interlaced else "plain"
        looked_up = colours[indices[..., 0]]
        content = png.write_png(indices, before=tags, **options)
        yield Variant("PNG", "palette", str(depth), layout, content, looked_up)
        tags.append(png.chunk(b"tRNS", opacity.tobytes()))
        content = png.write_png(indices, before=tags, **options)
        picture = seen(looked_up, 8, opacity[indices])
        yield Variant("PNG", "palette + alpha", str(depth), layout, content, picture)
