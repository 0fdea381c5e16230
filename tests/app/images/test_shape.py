"""Images of unlike shape are cut to the first one's, in their middle and no more than needed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.images.shape import MAX_RATIO, crop_box, shape_difference

sizes = st.tuples(st.integers(32, 5000), st.integers(32, 5000))


@given(sizes, st.integers(1, 5))
def test_the_same_shape_is_left_whole(size: tuple[int, int], times: int):
    assert crop_box((size[0] * times, size[1] * times), size) is None
    assert shape_difference((size[0] * times, size[1] * times), size) == pytest.approx(1)


@given(sizes, sizes)
def test_what_is_left_has_the_first_one_s_shape_and_is_the_middle(
    size: tuple[int, int], first: tuple[int, int]
):
    if shape_difference(size, first) > MAX_RATIO:
        return
    left, top, right, bottom = crop_box(size, first) or (0, 0, *size)
    width, height = right - left, bottom - top
    assert 0 <= left <= right <= size[0]
    assert 0 <= top <= bottom <= size[1]
    # One side is whole, and the other within a pixel of what the shape asks for.
    assert width == size[0] or height == size[1]
    assert abs(width * first[1] - height * first[0]) <= max(first)
    assert abs(left - (size[0] - right)) <= 1
    assert abs(top - (size[1] - bottom)) <= 1
    assert width * height >= size[0] * size[1] / MAX_RATIO - max(size)


@pytest.mark.parametrize(
    ("one", "other"), [((16, 9), (16, 10)), ((16, 10), (4, 3)), ((3, 2), (4, 3)), ((5, 4), (4, 3))]
)
def test_usual_shapes_go_with_the_next(one: tuple[int, int], other: tuple[int, int]):
    for first, second in ((one, other), (other, one)):
        assert shape_difference(first, second) <= MAX_RATIO


@pytest.mark.parametrize(("one", "other"), [((16, 9), (4, 3)), ((4, 3), (3, 4)), ((1, 1), (3, 2))])
def test_others_do_not(one: tuple[int, int], other: tuple[int, int]):
    assert shape_difference(one, other) > MAX_RATIO
