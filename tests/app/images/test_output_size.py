"""No shape is changed by more than the rounding of its sides."""

from hypothesis import example, given
from hypothesis import strategies as st

from app.images.output_size import LEAST_SIDE_PX, MAX_ELONGATION, MAX_SIDE_PX, output_size

image_sizes = st.none() | st.integers(64, MAX_SIDE_PX)


@st.composite
def accepted_sizes(draw: st.DrawFn) -> tuple[int, int]:
    """(width, height) of an image that is taken, lying or standing."""
    short = draw(st.integers(32, 4000))
    long = draw(st.integers(short, MAX_ELONGATION * short))
    return (long, short) if draw(st.booleans()) else (short, long)


@given(accepted_sizes(), image_sizes)
@example((4096, 128), 256)
@example((32, 32 * MAX_ELONGATION), 64)
def test_no_side_is_changed_by_more_than_the_rounding_to_whole_pixels(
    first: tuple[int, int], image_size: int | None
):
    size = output_size(first, image_size)
    scale = max(_asked(first, image_size) / max(first), LEAST_SIDE_PX / min(first))
    for side, whole in zip(size, first, strict=True):
        assert abs(side - whole * scale) <= 0.5 + 1e-6
    assert min(size) >= LEAST_SIDE_PX


def _asked(first: tuple[int, int], image_size: int | None) -> int:
    return min(image_size or max(first), MAX_SIDE_PX)


@given(accepted_sizes(), image_sizes)
def test_it_is_longer_than_asked_for_only_where_it_would_be_too_narrow(
    first: tuple[int, int], image_size: int | None
):
    size, asked = output_size(first, image_size), _asked(first, image_size)
    assert max(size) <= MAX_SIDE_PX
    if max(size) != asked:
        assert max(size) > asked
        assert min(size) == LEAST_SIDE_PX


@given(accepted_sizes())
def test_an_image_of_up_to_the_longest_side_keeps_its_size(first: tuple[int, int]):
    assert max(first) > MAX_SIDE_PX or output_size(first, None) == first


@given(accepted_sizes(), image_sizes)
def test_a_turned_image_has_the_turned_size(first: tuple[int, int], image_size: int | None):
    assert output_size(first[::-1], image_size) == output_size(first, image_size)[::-1]
