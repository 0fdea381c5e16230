"""No shape is changed by more than the rounding of its sides."""

from hypothesis import example, given
from hypothesis import strategies as st

from app.images.output_size import LEAST_SIDE_PX, MAX_ELONGATION, SIDE_MULTIPLE_PX, output_size

image_sizes = st.integers(64, 1024)


@st.composite
def accepted_sizes(draw: st.DrawFn) -> tuple[int, int]:
    """(width, height) of an image that is taken, lying or standing."""
    short = draw(st.integers(32, 4000))
    long = draw(st.integers(short, MAX_ELONGATION * short))
    return (long, short) if draw(st.booleans()) else (short, long)


@given(accepted_sizes(), image_sizes)
@example((4096, 128), 256)
@example((32, 32 * MAX_ELONGATION), 64)
def test_each_side_is_the_nearest_multiple_of_one_and_the_same_scale(
    first: tuple[int, int], image_size: int
):
    size = output_size(first, image_size)
    scale = max(image_size / max(first), LEAST_SIDE_PX / min(first))
    for side, whole in zip(size, first, strict=True):
        assert side % SIDE_MULTIPLE_PX == 0
        assert abs(side - whole * scale) <= SIDE_MULTIPLE_PX / 2 + 1e-6
    assert min(size) >= LEAST_SIDE_PX


@given(accepted_sizes(), image_sizes)
def test_it_is_longer_than_asked_for_only_where_it_would_be_too_narrow(
    first: tuple[int, int], image_size: int
):
    size = output_size(first, image_size)
    assert max(size) <= LEAST_SIDE_PX * MAX_ELONGATION
    if abs(max(size) - image_size) > SIDE_MULTIPLE_PX / 2:
        assert max(size) > image_size
        assert min(size) == LEAST_SIDE_PX


@given(accepted_sizes(), image_sizes)
def test_a_turned_image_has_the_turned_size(first: tuple[int, int], image_size: int):
    assert output_size(first[::-1], image_size) == output_size(first, image_size)[::-1]
