"""Which value is white: one answer for all images of a request."""

from itertools import product
from typing import Any

import pytest

from app.images.facts import ImageFacts
from app.images.white import decide_bits, exceeds


def facts(**changes: Any) -> ImageFacts:
    """An image of 16 bits of which nothing more is said."""
    usual = {
        "width": 64,
        "height": 48,
        "num_channels": 1,
        "orientation": 1,
        "bits": None,
        "storage_bits": 16,
        "inverted": False,
        "largest": 65535,
        "low": 1000.0,
        "high": 60000.0,
        "spread": 50000.0,
        "transparent": 0.0,
        "sharpness": 1.0,
        "fingerprint": str(changes),
        "has_unused_alpha": False,
        "has_unknown_channel": False,
    }
    return ImageFacts(**usual | changes)


EIGHT_BIT = facts(bits=8, storage_bits=8, largest=255)


@pytest.mark.parametrize(
    ("largest", "bits"),
    [(0, 8), (255, 8), (256, 10), (1023, 10), (1024, 12), (4095, 12), (4096, 14), (16384, 16)],
)
def test_one_image_has_the_fewest_bits_of_a_camera_that_hold_it(largest: int, bits: int):
    assert decide_bits([facts(largest=largest)], None) == [bits]


def test_all_images_of_a_request_have_one_white_in_every_order():
    for pair in product((900, 1000, 1100, 4095, 60000), repeat=2):
        found = decide_bits([facts(largest=largest) for largest in pair], None)
        assert found == decide_bits([facts(largest=max(pair))], None) * 2


def test_eight_bits_are_eight_bits_beside_any_other():
    for largest, told in product((100, 4000, 65535), (None, 12, 16)):
        assert decide_bits([EIGHT_BIT, facts(largest=largest)], told)[0] == 8


def test_a_file_that_says_its_bits_counts_for_those_that_do_not():
    packed = facts(bits=12, largest=900)
    assert decide_bits([facts(largest=1000), packed], None) == [12, 12]
    assert decide_bits([facts(largest=60000), packed], None) == [16, 12]


def test_what_is_told_is_taken_for_all_that_have_more_than_eight_bits():
    images = [facts(largest=900), facts(bits=12, largest=900), EIGHT_BIT]
    assert decide_bits(images, 14) == [14, 14, 8]


def test_signed_numbers_end_at_15_bits():
    assert decide_bits([facts(storage_bits=15, largest=30000)], None) == [15]


def test_a_number_that_the_bits_cannot_hold_exceeds_them():
    assert exceeds(facts(largest=4096), 12)
    assert not exceeds(facts(largest=4095), 12)
