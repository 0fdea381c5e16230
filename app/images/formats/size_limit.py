"""The limits of an image's size, checked by its header before anything is decoded."""

from app.images.limits import ImageLimits
from app.problems import ImageTooLarge, ImageTooSmall


def check_size(width: int, height: int, limits: ImageLimits) -> None:
    """Lets pass what may be decoded.

    Args:
        width: in px, as stored.
        height: in px, as stored.
        limits: of pixels and sides.

    Raises:
        ImageTooLarge, ImageTooSmall: it may not.
    """
    if width * height > limits.max_pixels:
        raise ImageTooLarge(f"{width} x {height} px; at most {limits.max_pixels} pixels are read.")
    if min(width, height) < limits.min_side_px:
        raise ImageTooSmall(
            f"{width} x {height} px; both sides need at least {limits.min_side_px} px."
        )
