"""The size of the new images, known from the first image before any work is done.

Their shape is the first image's, and no side differs from it by more than the rounding to whole
pixels. The method wants `LEAST_SIDE_PX` of a side; the new images of a part so long that its short
side would have less are longer than `image_size`, and never squeezed. The method has the same rule
(`models/views/view.py`); a test compares the two.
"""

LEAST_SIDE_PX, MAX_SIDE_PX = 32, 4096
# A longer part would make the method's own, reduced images too large.
MAX_ELONGATION = 32

Size = tuple[int, int]


def output_size(first: Size, image_size_px: int | None) -> Size:
    """(width, height) of the new images in px.

    Args:
        first: (width, height) of the first image, upright, in px.
        image_size_px: the long side that is asked for; None: as large as the first image, up to
            MAX_SIDE_PX.
    """
    longest = min(image_size_px or max(first), MAX_SIDE_PX)
    factor = max(longest / max(first), LEAST_SIDE_PX / min(first))
    width, height = (max(1, round(side * factor)) for side in first)
    return width, height
