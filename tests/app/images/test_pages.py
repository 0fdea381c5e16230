"""What of a file is a picture: thumbnails, masks, texts and profiles are not."""

import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from app.files.read_image import read_image
from app.images.limits import ImageLimits
from app.problems import (
    DamagedImage,
    ImageTooCostly,
    NotAnImage,
    SeveralFrames,
    UnusableImage,
)
from tests.app.images import png_writer as png
from tests.app.images import tiff_writer as tiff
from tests.app.images.tiff_writer import TiffLayout
from tests.conftest import encode, texture

LIMITS = ImageLimits(max_bytes=50_000_000, max_pixels=1_000_000, min_side_px=32)
PICTURE = np.asarray(texture((64, 48)))
REDUCED, MASK, OLD_REDUCED = 1, 4, 2


def pages(*subfile_types: int, tag: int = 254) -> bytes:
    """A TIFF whose pages are marked so; the picture is the first page that is not marked."""
    content, places = b"II*\0" + bytes(4), []
    for kind in subfile_types:
        pixels = np.ascontiguousarray(PICTURE if not kind else PICTURE[::2, ::2])
        pixels_at = len(content)
        content += pixels.tobytes()
        tags = {
            tag: (4, (kind,)),
            256: (4, (pixels.shape[1],)),
            257: (4, (pixels.shape[0],)),
            258: (3, (8, 8, 8)),
            259: (3, (1,)),
            262: (3, (tiff.RGB,)),
            273: (4, (pixels_at,)),
            277: (3, (3,)),
            279: (4, (pixels.size,)),
        }
        places.append((len(content), tags))
        content += tiff.write_directory(tags, len(content), "<")
    changed = bytearray(content)
    struct.pack_into("<I", changed, 4, places[0][0])
    for n, (place, tags) in enumerate(places[:-1]):
        struct.pack_into("<I", changed, place + 2 + 12 * len(tags), places[n + 1][0])
    return bytes(changed)


@pytest.mark.parametrize(
    "kinds",
    [(0,), (0, REDUCED), (REDUCED, 0), (0, REDUCED, REDUCED), (0, MASK), (0, REDUCED | MASK)],
)
def test_thumbnails_and_masks_are_no_pages(kinds: tuple[int, ...]):
    assert np.array_equal(np.asarray(read_image(pages(*kinds), LIMITS)), PICTURE)


def test_the_old_tag_for_thumbnails_is_known():
    content = pages(0, OLD_REDUCED, tag=255)
    assert np.array_equal(np.asarray(read_image(content, LIMITS)), PICTURE)


def test_two_pictures_are_two_pages_whatever_stands_between_them():
    with pytest.raises(SeveralFrames):
        read_image(pages(0, REDUCED, 0), LIMITS)


def test_a_file_of_thumbnails_has_no_picture():
    with pytest.raises(NotAnImage, match="no page but thumbnails"):
        read_image(pages(REDUCED, REDUCED), LIMITS)


def test_a_png_with_large_texts_and_profiles_is_a_good_png():
    rows = np.random.default_rng(0).integers(0, 64, 1_400_000).astype(np.uint8)
    text = png.chunk(b"zTXt", b"Comment\0\0" + zlib.compress(rows.tobytes()))
    profile = png.chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(20_000_000)))
    broken = png.chunk(b"iCCP", b"icc\0\0no zlib")
    plain = png.chunk(b"tEXt", b"Comment\0" + b"x" * 10_000_000)
    for more in ([text], [profile], [broken], [plain], [text] * 20):
        for depth, kind in ((8, png.RGB), (16, png.RGB)):
            written = PICTURE.astype(np.uint16) * 257 if depth == 16 else PICTURE
            content = png.write_png(written, depth=depth, kind=kind, before=more)
            assert np.array_equal(np.asarray(read_image(content, LIMITS)), PICTURE)


def test_exif_in_a_text_chunk_turns_the_picture():
    exif = Image.Exif()
    exif[0x0112] = 6
    body = exif.tobytes()
    profile = f"\nexif\n{len(body):8d}\n{body.hex()}\n".encode()
    text = png.chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile))
    content = png.write_png(PICTURE, depth=8, kind=png.RGB, before=[text])
    turned = np.asarray(read_image(content, LIMITS))
    assert np.array_equal(turned, np.rot90(PICTURE, -1))


def test_a_png_of_countless_chunks_is_refused_for_that():
    many = [png.chunk(b"tEXt", b"a\0")] * 70_000
    with pytest.raises(ImageTooCostly, match="chunks"):
        read_image(png.write_png(PICTURE, depth=8, kind=png.RGB, before=many), LIMITS)


def scans(content: bytes, number: int) -> bytes:
    """A progressive JPEG with its last scan again and again."""
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * number + b"\xff\xd9"


def test_a_jpeg_of_200_scans_is_refused_before_it_is_decoded():
    jpeg = encode(texture(), "JPEG", progressive=True)
    assert read_image(scans(jpeg, 40), LIMITS).size == (64, 64)
    with pytest.raises(ImageTooCostly, match="scans"):
        read_image(scans(jpeg, 200), LIMITS)
    frame = jpeg.replace(struct.pack(">BHH", 8, 64, 64), struct.pack(">BHH", 12, 64, 64))
    with pytest.raises(NotAnImage, match="12 bits"):
        read_image(frame, LIMITS)


def written(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "options", [{"bigtiff": True}, {"compression": "lzma"}, {"compression": "zstd"}]
)
def test_other_kinds_of_tiff_are_read(options: dict[str, object]):
    content = written(PICTURE, photometric="rgb", **options)
    assert np.array_equal(np.asarray(read_image(content, LIMITS)), PICTURE)


def test_jpeg_in_tiff_is_read_and_its_scans_are_counted():
    content = written(PICTURE, photometric="rgb", compression="jpeg", compressionargs={"level": 95})
    off = abs(np.asarray(read_image(content, LIMITS)).astype(int) - PICTURE)
    assert off.mean() < 8
    jpeg = scans(encode(texture((64, 48)), "JPEG", progressive=True), 200)
    layout = TiffLayout(
        bits=8,
        photometric=6,
        rows_per_strip=48,
        more={
            259: (3, (7,)),
            273: (4, (8,)),
            279: (4, (len(jpeg),)),
        },
    )
    content = tiff.write_tiff(PICTURE, layout, before=jpeg)
    with pytest.raises(ImageTooCostly):
        read_image(content, LIMITS)


@pytest.mark.parametrize("compression", ["group3", "group4"])
def test_fax_is_read(compression: str):
    page = texture().convert("1")
    content = encode(page, "TIFF", compression=compression)
    assert np.array_equal(np.asarray(read_image(content, LIMITS))[..., 0], np.asarray(page) * 255)


def test_bits_in_reverse_order_are_read():
    grey = np.random.default_rng(0).integers(0, 2, (48, 64, 1)).astype(np.uint8)
    layout = TiffLayout(bits=1, photometric=tiff.BLACK_IS_ZERO, more={266: (3, (2,))})
    content = tiff.write_tiff(grey, layout)
    num_bytes = 48 * 8
    turned = bytes(int(f"{byte:08b}"[::-1], 2) for byte in content[8 : 8 + num_bytes])
    content = content[:8] + turned + content[8 + num_bytes :]
    assert np.array_equal(np.asarray(read_image(content, LIMITS))[..., 0], grey[..., 0] * 255)


GREY = np.arange(48 * 64).reshape(48, 64, 1).astype(np.uint16)


@pytest.mark.parametrize("compression", [tiff.NONE, tiff.LZW, tiff.DEFLATE, tiff.PACKBITS])
@pytest.mark.parametrize("tiled", [False, True])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_cut_deep_tiff_is_never_taken(compression: int, tiled: bool, kept: float):
    layout = TiffLayout(
        bits=16, photometric=tiff.BLACK_IS_ZERO, compression=compression, tiled=tiled
    )
    content = tiff.write_tiff(GREY, layout)
    # The directory stands at the end, so its place is moved ahead of the cut.
    directory_at = struct.unpack_from("<I", content, 4)[0]
    pixels = content[8 : 8 + int(kept * (directory_at - 8))]
    hole = bytes(directory_at - 8 - len(pixels))
    for damaged in (content[: int(kept * len(content))], content[:8] + pixels):
        with pytest.raises(UnusableImage):
            read_image(damaged, LIMITS)
    if compression != tiff.NONE:
        with pytest.raises(DamagedImage):
            read_image(content[:8] + pixels + hole + content[directory_at:], LIMITS)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({279: (4, (100,) * 5)}, "breaks off or its data"),
        ({279: (4, (0,) * 5)}, "not in the file"),
        ({273: (4, (0,) * 5)}, "not in the file"),
        ({273: (4, (8,))}, "strips or tiles"),
        ({273: (4, (10**9,) * 5)}, "not in the file"),
    ],
)
def test_a_tiff_without_all_its_pixels_is_not_filled_with_black(
    more: dict[int, tuple[int, tuple[int, ...]]], reason: str
):
    layout = TiffLayout(bits=16, photometric=tiff.BLACK_IS_ZERO, more=more)
    with pytest.raises(DamagedImage, match=reason):
        read_image(tiff.write_tiff(GREY, layout), LIMITS)


@pytest.mark.parametrize("kept", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("interlaced", [False, True])
def test_a_cut_deep_png_is_never_taken(kept: float, interlaced: bool):
    content = png.write_png(GREY, depth=16, kind=png.GREY, interlaced=interlaced)
    with pytest.raises(DamagedImage):
        read_image(content[: int(kept * len(content))], LIMITS)


def test_a_deep_png_whose_data_end_early_is_never_taken():
    content = png.write_png(GREY, depth=16, kind=png.GREY)
    taller = png.chunk(b"IHDR", struct.pack(">2I5B", 64, 60, 16, 0, 0, 0, 0))
    with pytest.raises(DamagedImage):
        read_image(content[:8] + taller + content[8 + 25 :], LIMITS)


@pytest.mark.parametrize(
    ("photometric", "channels", "more", "reason"),
    [
        (32803, 1, {}, "kind 32803"),
        (tiff.CMYK, 4, {332: (3, (2,))}, "Inks other than"),
        (tiff.BLACK_IS_ZERO, 1, {259: (3, (34712,))}, "compression 34712"),
        (tiff.RGB, 2, {}, "2 channels"),
        (tiff.RGB, 3, {258: (3, (5, 6, 5))}, "unlike depth"),
    ],
)
def test_what_is_not_read_is_refused_for_its_reason(
    photometric: int, channels: int, more: dict[int, tuple[int, tuple[int, ...]]], reason: str
):
    pixels = np.zeros((48, 64, channels), np.uint8)
    layout = TiffLayout(bits=8, photometric=photometric, more=more)
    with pytest.raises(UnusableImage, match=reason):
        read_image(tiff.write_tiff(pixels, layout), LIMITS)


def test_the_writer_of_these_files_and_a_third_reader_agree():
    """A fault of the hand-made files would hide one of the reader."""
    for planar in (1, 2):
        layout = TiffLayout(bits=8, photometric=tiff.RGB, planar=planar, compression=tiff.LZW)
        content = tiff.write_tiff(PICTURE, layout)
        with Image.open(io.BytesIO(content)) as image:
            assert np.array_equal(np.asarray(image), PICTURE)
    content = png.write_png(PICTURE, depth=8, kind=png.RGB, interlaced=True)
    assert np.array_equal(imagecodecs.png_decode(content), PICTURE)
