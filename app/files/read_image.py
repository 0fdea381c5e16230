"""From a file's bytes to an image that the method can work with: 8-bit RGB, upright.

The content decides the type, never the file name. The number of pixels is read from the header and
checked before anything is decoded.

What becomes of an unusual image:

- More than 8 bits: linear; which value is white is decided from all images of a request, see
  `app/images/white.py`. WhiteIsZero is turned round.
- Grey and palette: the same picture in RGB. CMYK: each ink takes its share of the light. LAB and
  YCbCr: Pillow's plain conversion.
- Signed, 32-bit and floating-point pixels are refused where nothing says which value is white.
- Transparency: laid on white. An alpha channel that is 0 everywhere is unused, and left out; so is
  a channel of which the file does not say what it means.
- Orientation in Exif: the image is turned upright.
- Colour profiles and texts are ignored, however large; pixels count as sRGB.
- An animation or a file of several pages is refused. Thumbnails and masks are no pages, and a
  phone's JPEG with a second picture behind the first (MPO) counts as its first picture.

All of this happens in the process that calls it, so whoever has to do with files of strangers calls
`decoders.py`, which does it in another one.
"""

import warnings

from PIL import Image

from app.images.formats.eight_bit import read_eight_bit
from app.images.formats.jpeg import SIGNATURE as JPEG
from app.images.formats.jpeg import read_jpeg
from app.images.formats.png import SIGNATURE as PNG
from app.images.formats.png import read_png
from app.images.formats.tiff import SIGNATURES as TIFF
from app.images.formats.tiff import read_tiff
from app.images.formats.webp import is_webp, read_webp
from app.images.limits import ImageLimits
from app.images.measure import measure
from app.images.picture import Picture
from app.images.render import render
from app.images.white import decide_bits
from app.problems import (
    DamagedImage,
    EmptyImage,
    ImageTooCostly,
    ImageTooLarge,
    NotAnImage,
    UnusableImage,
)

__all__ = ["TOO_MUCH_MEMORY", "ImageLimits", "read_image", "read_picture"]

BMP = b"BM"
TOO_MUCH_MEMORY = "Its decoding takes more memory than an image may take."


def read_image(data: bytes, limits: ImageLimits, bit_depth: int | None = None) -> Image.Image:
    """The picture in `data` as if it were the only one of a request, 8-bit RGB, upright.

    Args:
        data: the file.
        limits: of bytes, pixels and sides.
        bit_depth: how many bits of a deeper image count; None decides it from the image.

    Raises:
        UnusableImage: one of its kinds says why.
    """
    picture = read_picture(data, limits)
    (bits,) = decide_bits([measure(picture)], bit_depth)
    return render(picture, bits)


def read_picture(data: bytes, limits: ImageLimits) -> Picture:
    """The picture in `data` with its numbers as they are stored.

    Raises:
        UnusableImage: one of its kinds says why.
    """
    if not data:
        raise EmptyImage("The file has no bytes.")
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(f"{len(data)} bytes; at most {limits.max_bytes} are read.")
    try:
        # What decoders find odd and read all the same is nobody's concern.
        with warnings.catch_warnings(action="ignore"):
            return _read(data, limits).without_idle_alpha()
    except UnusableImage:
        raise
    except MemoryError as error:
        raise ImageTooCostly(TOO_MUCH_MEMORY) from error
    # Decoders fed with hostile bytes raise whatever they like.
    except Exception as error:
        raise DamagedImage("The image breaks off or its data make no sense.") from error


def _read(data: bytes, limits: ImageLimits) -> Picture:
    if data.startswith(PNG):
        return read_png(data, limits)
    if data.startswith(JPEG):
        return read_jpeg(data, limits)
    if data.startswith(TIFF):
        return read_tiff(data, limits)
    if data.startswith(BMP):
        return read_eight_bit(data, ("BMP",), limits)
    if is_webp(data):
        return read_webp(data, limits)
    raise NotAnImage("The content is not PNG, JPEG, BMP, TIFF or WebP.")
