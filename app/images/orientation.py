"""Exif's eight orientations."""

from typing import Any

from numpy.typing import NDArray
from PIL import Image

ORIENTATION_TAG = 0x0112
UPRIGHT = 1


def read_orientation(image: Image.Image) -> int:
    """What the file's Exif or XMP says, 1 to 8; 1 when it says nothing or nonsense."""
    try:
        # The base class's: PNG's own decodes the whole picture first.
        found = Image.Image.getexif(image).get(ORIENTATION_TAG)
    # Cameras and editors write Exif that breaks off; the picture is no worse for it.
    except Exception:
        return UPRIGHT
    return valid_orientation(found)


def valid_orientation(value: object) -> int:
    """The value, if it is one of the eight; else 1."""
    return value if isinstance(value, int) and 1 <= value <= 8 else UPRIGHT


def turn_upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """The pixels (H, W, ...) as they are to be looked at; a view, not a copy."""
    if orientation > 4:
        pixels = pixels.swapaxes(0, 1)
    # Where the stored first row and column are: Exif 2.3, section 4.6.4, tag 0x0112.
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels
