"""A grid of image files made by hand, each with the picture that it is."""

import numpy as np

from tests.app.images.eight_bit_grid import bmp_files, jpeg_files, webp_files
from tests.app.images.grid_variant import Variant
from tests.app.images.png_grid import png_palettes, png_pixels
from tests.app.images.tiff_grid import (
    tiff_alphas,
    tiff_layouts,
    tiff_palettes,
    tiff_pixels,
    tiff_without_meaning,
)

SOURCES = (
    png_pixels,
    png_palettes,
    tiff_pixels,
    tiff_layouts,
    tiff_palettes,
    tiff_alphas,
    tiff_without_meaning,
    bmp_files,
    webp_files,
    jpeg_files,
)


def all_variants(seed: int = 0) -> list[Variant]:
    """Every file of the grid; the seed draws the pixels."""
    draw = np.random.default_rng(seed)
    return [variant for source in SOURCES for variant in source(draw)]
