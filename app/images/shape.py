"""The shape that all images of a request and the new ones have: the first image's.

A part must keep its proportions, and padding would show an edge that no part has. So an image is
cut, equally at both ends, to the first one's ratio of width to height. Up to `MAX_RATIO` that costs
at most 8.4 % at each end, which on a usual picture is ground: 16:9, 16:10, 3:2 and 4:3 each go with
the next. Beyond it the cut would go through the part, and nobody but the sender knows what may be
lost.
"""

# A hair more than 6:5, which is 16:10 over 4:3 and must not depend on rounding.
MAX_RATIO = 1.2001

Box = tuple[int, int, int, int]


def shape_difference(size: tuple[int, int], first: tuple[int, int]) -> float:
    """The larger of the two ratios of width to height over the smaller, 1 and up."""
    (width, height), (first_width, first_height) = size, first
    ratio = width * first_height / (height * first_width)
    return max(ratio, 1 / ratio)


def crop_box(size: tuple[int, int], first: tuple[int, int]) -> Box | None:
    """(left, top, right, bottom) of the part that has the first one's shape; None when all has.

    Args:
        size: (width, height) in px.
        first: the first image's.
    """
    (width, height), (first_width, first_height) = size, first
    kept_width = min(width, max(1, round(height * first_width / first_height)))
    kept_height = min(height, max(1, round(width * first_height / first_width)))
    if (kept_width, kept_height) == size:
        return None
    left, top = (width - kept_width) // 2, (height - kept_height) // 2
    return left, top, left + kept_width, top + kept_height
