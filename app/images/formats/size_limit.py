"""The limits of an image's size, checked by its header before anything is decoded."""

from app.images.limits import ImageLimits
from app.images.output_size import MAX_ELONGATION
from app.problems import ImageTooLarge, ImageTooNarrow, ImageTooSmall


def check_size(width: int, height: int, limits: ImageLimits) -> None:
    """Lets pass what may be decoded.

    Args:
        width: in px, as stored.
        height: in px, as stored.
        limits: of pixels and sides.

    Raises:
        ImageTooLarge, ImageTooSmall, ImageTooNarrow: it may not.
    """
    if width * height > limits.max_pixels:
        raise ImageTooLarge(f"{width} x {height} px; at most {limits.max_pixels} pixels are read.")
    if min(width, height) < limits.min_side_px:
        raise ImageTooSmall(
            f"{width} x {height} px; both sides need at least {limits.min_side_px} px."
        )
    if max(width, height) > MAX_ELONGATION * min(width, height):
        raise ImageTooNarrow(
            f"{width} x {height} px; at most {MAX_ELONGATION} times as long as wide. Cut it into "
            "pieces and send these."
        )
