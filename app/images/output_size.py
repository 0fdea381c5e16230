"""The size of the new images, known from the first image before any work is done.

Their shape is the first image's: each side is the nearest multiple of `SIDE_MULTIPLE_PX`, and no
more is changed of it. The method wants `LEAST_SIDE_PX` of a side; the new images of a part so long
that its short side would have less are longer than `image_size`, and never squeezed. The method has
the same rule (`models/views/view.py`); a test compares the two.
"""

SIDE_MULTIPLE_PX = 16
LEAST_SIDE_PX = 32
# A longer part would not come within 1024 px, which is what memory and time are meant for.
MAX_ELONGATION = 32

Size = tuple[int, int]


def output_size(first: Size, image_size_px: int) -> Size:
    """(width, height) of the new images in px.

    Args:
        first: (width, height) of the first image, upright, in px.
        image_size_px: the long side that is asked for.
    """
    factor = max(image_size_px / max(first), LEAST_SIDE_PX / min(first))
    width, height = (round(side * factor / SIDE_MULTIPLE_PX) * SIDE_MULTIPLE_PX for side in first)
    return width, height
