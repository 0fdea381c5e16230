"""Every format in every depth and layout shows what was written into it, or is refused."""

import numpy as np
import pytest

from app.files.read_image import read_image
from app.images.limits import ImageLimits
from app.problems import NotAnImage, UnusableImage
from tests.app.images.format_grid import all_variants
from tests.app.images.grid_variant import Variant

LIMITS = ImageLimits(max_bytes=2_000_000, max_pixels=1_000_000, min_side_px=32)


@pytest.mark.parametrize("seed", [0, 1])
def test_what_is_read_is_what_was_written(seed: int):
    variants = all_variants(seed)
    assert len({variant.name for variant in variants}) == len(variants) > 700
    assert [f"{v.name}: {fault}" for v in variants if (fault := find_fault(v))] == []


def find_fault(variant: Variant) -> str:
    """What is wrong with the reading of this file; nothing, that is hoped."""
    try:
        picture = np.asarray(read_image(variant.content, LIMITS)).astype(int)
    except NotAnImage as problem:
        return "" if variant.expected is None else f"refused: {problem}"
    except UnusableImage as problem:
        return f"refused: {problem} ({problem.__cause__!r})"
    if variant.expected is None:
        return "not refused"
    if picture.shape != variant.expected.shape:
        return f"shape {picture.shape}"
    far = abs(picture - variant.expected)
    wrong = (far > variant.tolerance).mean()
    return f"{wrong:.0%} of it off by up to {far.max()}" if wrong else ""
