"""All eight orientations, in every format that can say one, against Pillow's own."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from app.files.read_image import read_image
from app.images.limits import ImageLimits
from app.images.orientation import turn_upright
from tests.app.images import png_writer as png
from tests.app.images import tiff_writer as tiff
from tests.app.images.tiff_writer import TiffLayout
from tests.conftest import encode, texture

LIMITS = ImageLimits(max_bytes=2_000_000, max_pixels=1_000_000, min_side_px=32)
EACH = pytest.mark.parametrize("orientation", range(1, 9))


def exif(orientation: int) -> Image.Exif:
    made = Image.Exif()
    made[0x0112] = orientation
    return made


def upright(image: Image.Image, orientation: int) -> np.ndarray:
    image.getexif()[0x0112] = orientation
    return np.asarray(ImageOps.exif_transpose(image))


@EACH
def test_pixels_are_turned_as_pillow_turns_them(orientation: int):
    image = texture((80, 40))
    turned = turn_upright(np.asarray(image), orientation)
    assert np.array_equal(turned, upright(image, orientation))


@EACH
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
def test_every_format_is_turned_upright(kind: str, orientation: int):
    image = texture((80, 40))
    options = {"lossless": True} if kind == "WEBP" else {}
    content = encode(image, kind, exif=exif(orientation), **options)
    with Image.open(io.BytesIO(content)) as stored:
        expected = np.asarray(ImageOps.exif_transpose(stored.convert("RGB")))
        if kind == "TIFF":
            expected = upright(image, orientation)
    assert np.array_equal(np.asarray(read_image(content, LIMITS)), expected)


@EACH
def test_deep_files_are_turned_upright(orientation: int):
    grey = np.random.default_rng(0).integers(0, 65536, (40, 80, 1)).astype(np.uint16)
    expected = upright(Image.fromarray(np.rint(grey[..., 0] / 257).astype(np.uint8)), orientation)
    body = exif(orientation).tobytes().removeprefix(b"Exif\0\0")
    png_file = png.write_png(grey, depth=16, kind=png.GREY, before=[png.chunk(b"eXIf", body)])
    layout = TiffLayout(bits=16, photometric=tiff.BLACK_IS_ZERO, more={274: (3, (orientation,))})
    for content in (png_file, tiff.write_tiff(grey, layout)):
        assert np.array_equal(np.asarray(read_image(content, LIMITS))[..., 0], expected)
