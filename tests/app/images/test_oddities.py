"""What an image's sender is warned of, told of real pictures by way of a file."""

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageFilter

from app.files.read_image import read_picture
from app.images.facts import ImageFacts
from app.images.limits import ImageLimits
from app.images.measure import measure
from app.images.oddities import Oddity, find_oddities
from app.images.white import decide_bits
from tests.app.images import tiff_writer as tiff
from tests.app.images.tiff_writer import TiffLayout
from tests.conftest import encode, texture

LIMITS = ImageLimits(max_bytes=20_000_000, max_pixels=10_000_000, min_side_px=32)


def facts_of(*files: bytes) -> list[ImageFacts]:
    return [measure(read_picture(content, LIMITS)) for content in files]


def codes(*files: bytes, bit_depth: int | None = None) -> list[list[str]]:
    facts = facts_of(*files)
    found = find_oddities(facts, decide_bits(facts, bit_depth))
    return [[warned.code for warned in warnings] for warnings in found]


def part(seed: int = 0) -> Image.Image:
    """A picture with structure of all sizes."""
    draw = np.random.default_rng(seed)
    rough = np.asarray(texture((256, 256), seed)).astype(float)
    fine = draw.normal(0, 12, rough.shape)
    return Image.fromarray(np.clip(rough + fine, 0, 255).astype(np.uint8))


def deep(tones: np.ndarray, kind: str = "PNG") -> bytes:
    return encode(Image.fromarray(tones.astype(np.uint16)), kind)


def test_a_usual_picture_is_not_warned_of():
    assert codes(*[encode(part(n)) for n in range(3)]) == [[], [], []]


@pytest.mark.parametrize(
    ("level", "code"), [(10, Oddity.nearly_black), (245, Oddity.nearly_white), (128, None)]
)
def test_dark_and_bright_pictures(level: int, code: Oddity | None):
    small = np.asarray(part()).astype(int) // 32 - 4 + level
    for kind in ("PNG", "BMP", "TIFF"):
        content = encode(Image.fromarray(small.astype(np.uint8)), kind)
        assert codes(content) == [[code] if code else []]


def test_the_white_decides_what_is_dark():
    tones = np.asarray(part().convert("L")).astype(int) * 16
    assert codes(deep(tones)) == [[]]
    assert codes(deep(tones), bit_depth=16) == [[Oddity.nearly_black]]
    facts = facts_of(deep(tones))
    (warned,) = find_oddities(facts, [16])[0]
    assert "65535" in warned.detail
    assert "bit_depth" in warned.detail


@pytest.mark.parametrize("level", [90, 128])
def test_a_constant_picture(level: int):
    assert codes(encode(Image.new("RGB", (64, 64), (level, 90, 200)))) == [[Oddity.constant]]
    assert codes(deep(np.full((64, 64), level * 257))) == [[Oddity.constant]]


def test_black_and_white_pictures_are_constant_too():
    assert codes(encode(Image.new("L", (64, 64), 0))) == [[Oddity.nearly_black, Oddity.constant]]
    assert codes(encode(Image.new("L", (64, 64), 255))) == [[Oddity.nearly_white, Oddity.constant]]


def test_a_part_on_transparent_ground_is_neither_black_nor_constant():
    picture = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    picture.paste((3, 3, 3, 255), (20, 20, 50, 50))
    assert codes(encode(picture)) == [[]]


def test_white_is_zero_is_dark_where_it_is_dark():
    dark = np.asarray(part().convert("L")).astype(int) // 32
    layout = TiffLayout(bits=8, photometric=tiff.WHITE_IS_ZERO)
    content = tiff.write_tiff((255 - dark)[..., None].astype(np.uint8), layout)
    assert codes(content) == [[Oddity.nearly_black]]


@pytest.mark.parametrize("radius", [1.5, 2, 4, 8])
@pytest.mark.parametrize("place", [0, 2])
def test_one_picture_is_blurred_against_the_others(radius: float, place: int):
    pictures = [part(n) for n in range(4)]
    pictures[place] = pictures[place].filter(ImageFilter.GaussianBlur(radius))
    found = codes(*[encode(picture) for picture in pictures])
    assert found == [[Oddity.blurred] if n == place else [] for n in range(4)]


def test_light_does_not_count_as_blur():
    pictures = [part(n).point(lambda v, n=n: v // (n + 1)) for n in range(3)]
    assert [warnings for warnings in codes(*map(encode, pictures)) if "blurred" in warnings] == []


def same_as(files: Sequence[bytes]) -> list[int | None]:
    facts = facts_of(*files)
    found = find_oddities(facts, [8] * len(facts))
    return [next((w.same_as for w in warnings), None) for warnings in found]


def test_a_duplicate_is_known_by_its_pixels_and_names_the_first():
    first, second = part(0), part(1)
    files = [encode(first), encode(second), encode(first, "BMP"), encode(first, "TIFF")]
    assert same_as(files) == [None, None, 0, 0]


def test_another_orientation_is_no_duplicate():
    exif = Image.Exif()
    exif[0x0112] = 3
    assert same_as([encode(part()), encode(part(), exif=exif)]) == [None, None]


def test_what_is_left_out_is_told():
    unused = part().convert("RGBA")
    unused.putalpha(0)
    assert codes(encode(unused)) == [[Oddity.transparency_ignored]]


def test_a_cut_is_told_and_a_rounding_is_not():
    pictures = [texture((300, 200)), texture((300, 201), 1), texture((300, 220), 2)]
    assert codes(*map(encode, pictures)) == [[], [], [Oddity.cropped]]
