"""From uploaded bytes to an image that the method can work with: 8-bit RGB, upright.

The content decides the type, never the file name. The number of pixels is read from the header and
checked before anything is decoded.

What becomes of an unusual image:

- 16-bit grey: linear, white being the largest value of the smallest of 8, 10, 12, 14 and 16 bits
  that holds the brightest pixel (cameras write 10 to 14 bits into 16); 16-bit colour: the upper
  8 bits of each channel.
- Grey and palette: the same picture in RGB. CMYK, LAB: Pillow's plain conversion.
- Floating-point pixels are refused: nothing says which value is white.
- Transparency: laid on white.
- Orientation in Exif: the image is turned upright.
- Colour profiles are ignored; pixels count as sRGB.
- An animation or a file of several pages is refused. A phone's JPEG with a second picture behind
  the first (MPO) counts as its first picture.
"""

import io
from dataclasses import dataclass
from typing import cast

from PIL import Image, ImageOps

from app.problems import (
    DamagedImage,
    EmptyImage,
    ImageTooLarge,
    ImageTooSmall,
    NotAnImage,
    SeveralFrames,
)
from app.settings import Settings

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
CAMERA_BITS = (8, 10, 12, 14, 16)
MAX_16_BIT = 2**16 - 1


@dataclass(frozen=True, kw_only=True)
class ImageLimits:
    """What one image may be."""

    max_bytes: int
    max_pixels: int
    min_side_px: int

    @classmethod
    def from_settings(cls, settings: Settings) -> "ImageLimits":
        """The limits that the operator has set."""
        return cls(
            max_bytes=settings.max_image_bytes,
            max_pixels=settings.max_image_pixels,
            min_side_px=settings.min_image_side_px,
        )


def read_image(data: bytes, limits: ImageLimits) -> Image.Image:
    """The picture in `data`, 8-bit RGB, upright.

    Raises:
        EmptyImage, NotAnImage, DamagedImage, ImageTooLarge, ImageTooSmall, SeveralFrames: see
            `app/problems.py`.
    """
    if not data:
        raise EmptyImage("The file has no bytes.")
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(f"{len(data)} bytes; at most {limits.max_bytes} are read.")
    with _open(data) as image:
        _check_size(image, limits)
        if image.mode == "F":
            raise NotAnImage("Floating-point pixels have no white; send 8 or 16 bit.")
        try:
            # Not `n_frames`: to count a TIFF's pages takes minutes when there are many.
            if image.format == "MPO" or not getattr(image, "is_animated", False):
                image.load()
                # In place: each copy of the largest image costs 200 MB.
                ImageOps.exif_transpose(image, in_place=True)
                return _to_rgb(image)
        # Decoders fed with hostile bytes raise whatever they like.
        except Exception as error:
            raise DamagedImage("The image breaks off or its data make no sense.") from error
    raise SeveralFrames("The file is an animation or has several pages; send one picture.")


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLarge("The image declares far too many pixels.") from error
    except Exception as error:
        raise NotAnImage("The content is not PNG, JPEG, BMP, TIFF or WebP.") from error


def _check_size(image: Image.Image, limits: ImageLimits) -> None:
    width, height = image.size
    if width * height > limits.max_pixels:
        raise ImageTooLarge(f"{width} x {height} px; at most {limits.max_pixels} pixels are read.")
    if min(width, height) < limits.min_side_px:
        raise ImageTooSmall(
            f"{width} x {height} px; both sides need at least {limits.min_side_px} px."
        )


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        image = _scale_to_8_bits(image.convert("I"))
    if image.has_transparency_data:
        picture = image.convert("RGBA")
        paper = Image.new("RGBA", picture.size, "white")
        image = Image.alpha_composite(paper, picture)
    return image if image.mode == "RGB" else image.convert("RGB")


def _scale_to_8_bits(image: Image.Image) -> Image.Image:
    """Mode "I" with values of 0 to 65535 to mode "L"."""
    (_, brightest) = cast(tuple[int, int], image.getextrema())
    white = next((2**bits - 1 for bits in CAMERA_BITS if brightest < 2**bits), MAX_16_BIT)
    table = [min(255, round(value * 255 / white)) for value in range(MAX_16_BIT + 1)]
    return image.point(table, "L")
