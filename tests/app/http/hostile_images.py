"""Image files that nobody should send, made by code: each with the problems that may answer it.

`bad_images()` are refused; `odd_images()` are legal, however strange, and must be taken.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from PIL import Image, ImageCms

from tests.conftest import encode, texture

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
SIDE = 64
PNG, JPEG, BMP, TIFF, WEBP = (encode(texture(), kind) for kind in FORMATS)
BROKEN = frozenset({"damaged-image", "not-an-image"})
ANY_REFUSAL = BROKEN | {"image-too-large", "image-too-small"}
SEVERAL = frozenset({"several-frames"})
TOO_LARGE = frozenset({"image-too-large"})
UNKNOWN = frozenset({"not-an-image"})
TOO_SMALL = frozenset({"image-too-small"})

BadImage = tuple[str, bytes, frozenset[str]]


def chunk(name: bytes, content: bytes) -> bytes:
    """A PNG chunk with its right checksum."""
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def png(
    width: int = SIDE,
    height: int = SIDE,
    rows: bytes = b"\0" * (SIDE + 1) * SIDE,
    before: Sequence[bytes] = (),
    *,
    kind: bytes = b"\x08\0\0\0\0",
) -> bytes:
    """A grey PNG whose header says what it is told to."""
    header = chunk(b"IHDR", struct.pack(">2I", width, height) + kind)
    body = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return PNG_SIGNATURE + header + b"".join(before) + body


def tiff(tags: dict[int, tuple[int, int, int]], data: bytes = b"", *, next_ifd: int = 0) -> bytes:
    """A little-endian TIFF with one directory: tag to (type, count, value or offset)."""
    return b"II*\0" + struct.pack("<I", 8) + ifd(tags, next_ifd) + data


def ifd(tags: dict[int, tuple[int, int, int]], next_ifd: int) -> bytes:
    entries = [struct.pack("<HHII", tag, *entry) for tag, entry in sorted(tags.items())]
    return struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", next_ifd)


def grey_tags(width: int = SIDE, height: int = SIDE, **changes: tuple[int, int, int]) -> dict:
    """The tags of an uncompressed grey picture whose pixels stand behind one directory."""
    tags = {
        256: (4, 1, width),
        257: (4, 1, height),
        258: (3, 1, 8),
        259: (3, 1, 1),
        262: (3, 1, 1),
        273: (4, 1, 8 + 2 + 9 * 12 + 4),
        277: (3, 1, 1),
        278: (4, 1, height),
        279: (4, 1, min(width * height, 2**32 - 1)),
    }
    return tags | {int(name[1:]): entry for name, entry in changes.items()}


GREY_PIXELS = b"\x80" * SIDE * SIDE


def tiff_ring(num_ifds: int) -> bytes:
    """Directories that each point at the next, and the last at the first."""
    size = 2 + 9 * 12 + 4
    starts = [8 + size * n for n in range(num_ifds)]
    pages = [ifd(grey_tags(), following) for _, following in pairwise([*starts, starts[0]])]
    return b"II*\0" + struct.pack("<I", 8) + b"".join(pages) + GREY_PIXELS


def bmp(width: int, height: int, *, bits: int = 24, offset: int = 54, header: int = 40) -> bytes:
    content = struct.pack("<IiiHHIIiiII", header, width, height, 1, bits, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 12, 0, 0, offset) + content + b"\0" * 12


def jpeg_frame(width: int, height: int, components: Sequence[tuple[int, int]]) -> bytes:
    """The real JPEG with its frame header (SOF0) replaced."""
    start = JPEG.index(b"\xff\xc0")
    (length,) = struct.unpack(">H", JPEG[start + 2 : start + 4])
    parts = b"".join(
        bytes([n, sampling, table]) for n, (sampling, table) in enumerate(components, 1)
    )
    frame = struct.pack(">BHHB", 8, height, width, len(components)) + parts
    return (
        JPEG[:start]
        + b"\xff\xc0"
        + struct.pack(">H", len(frame) + 2)
        + frame
        + JPEG[start + 2 + length :]
    )


def webp_canvas(width: int, height: int) -> bytes:
    """An extended WebP that declares a canvas and holds nothing."""
    sizes = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + sizes
    return b"RIFF" + struct.pack("<I", len(body)) + body


def zipped(content: bytes, *names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or ["../../evil.png"]:
            archive.writestr(name, content)
    return file.getvalue()


def with_exif(orientation: int, *, padding: int = 0, kind: str = "JPEG") -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    if padding:
        exif[0x927C] = b"\0" * padding
    return encode(texture(), kind, exif=exif.tobytes())


def exif_loop() -> bytes:
    """Exif whose sub-directory is the directory that names it."""
    loop = tiff({0x0112: (3, 1, 6), 0x8769: (4, 1, 8)}, next_ifd=8)
    return encode(texture(), "JPEG", exif=b"Exif\0\0" + loop)


def truncated() -> Iterator[BadImage]:
    for kind, data in zip(FORMATS, (PNG, JPEG, BMP, TIFF, WEBP), strict=True):
        for percent in (10, 50, 90):
            yield f"{kind} cut at {percent}%", data[: len(data) * percent // 100], BROKEN


def bombs() -> Iterator[BadImage]:
    zeros = bytes(50 * 2**20)
    yield "PNG bomb, 12000 px a side", png(12_000, 12_000, zeros), TOO_LARGE
    yield "PNG of 60000 px a side", png(60_000, 60_000), TOO_LARGE
    yield "PNG of 2^31 - 1 px a side", png(2**31 - 1, 2**31 - 1), TOO_LARGE
    yield "PNG, one row of 60 million px", png(60_000_000, 1), TOO_LARGE
    yield "PNG of 49 megapixels, no data", png(7_000, 7_000, b""), BROKEN
    yield "chunk of 2^31 bytes", PNG[:33] + struct.pack(">I", 2**31) + b"tEXt" + PNG[33:], BROKEN
    yield "TIFF of 100000 px a side", tiff(grey_tags(100_000, 100_000)), TOO_LARGE
    yield "TIFF of 7000 px a side, no data", tiff(grey_tags(7_000, 7_000)), BROKEN
    yield "WebP canvas of 16383 px a side", webp_canvas(16_383, 16_383), TOO_LARGE | BROKEN
    yield "WebP canvas of 2^24 px a side", webp_canvas(2**24, 2**24), TOO_LARGE | BROKEN
    huge = jpeg_frame(65_500, 65_500, [(0x11, 0)])
    yield "JPEG of 65500 px a side", huge, TOO_LARGE
    scans = encode(texture(), "JPEG", progressive=True)
    again = scans[scans.rindex(b"\xff\xda") : -2]
    many_scans = scans[:-2] + again * 200 + b"\xff\xd9"
    yield "JPEG of 200 scans", many_scans, frozenset({"image-too-costly"})
    many_chunks = png(before=[chunk(b"tEXt", b"a\0")] * 100_000)
    yield "PNG of 100000 chunks", many_chunks, frozenset({"image-too-costly"})
    yield "BMP of 2^31 - 1 px a side", bmp(2**31 - 1, 2**31 - 1), TOO_LARGE | BROKEN
    yield "BMP of 40000 px a side", bmp(40_000, 40_000), TOO_LARGE


def absurd_headers() -> Iterator[BadImage]:
    behind = 8 + 2 + 9 * 12 + 4
    yield "PNG of no width", png(0, SIDE), ANY_REFUSAL
    yield "PNG of colour type 7", png(kind=b"\x08\7\0\0\0"), BROKEN
    yield "PNG with a wrong checksum", PNG[:29] + b"\0\0\0\0" + PNG[33:], BROKEN
    yield "PNG without IDAT", PNG_SIGNATURE + PNG[8:33] + chunk(b"IEND", b""), BROKEN
    yield (
        "PNG whose data are noise",
        png().replace(zlib.compress(b"\0" * 65 * 64), b"n" * 20),
        BROKEN,
    )
    yield "BMP of negative width", bmp(-SIDE, SIDE), ANY_REFUSAL
    yield "BMP of height -2^31", bmp(SIDE, -(2**31)), ANY_REFUSAL
    yield "BMP of no height", bmp(SIDE, 0), ANY_REFUSAL
    yield "BMP of 64 bits", bmp(SIDE, SIDE, bits=64), BROKEN
    yield "BMP of 0 bits", bmp(SIDE, SIDE, bits=0), BROKEN
    yield "BMP with data behind its end", bmp(SIDE, SIDE, offset=2**31), BROKEN
    yield "BMP header of 4 GiB", bmp(SIDE, SIDE, header=2**32 - 1), BROKEN
    yield "JPEG of no width", jpeg_frame(0, SIDE, [(0x11, 0)] * 3), ANY_REFUSAL
    yield "JPEG sampled 15 x 15", jpeg_frame(SIDE, SIDE, [(0xFF, 0)] * 3), BROKEN
    yield "JPEG sampled 0 x 0", jpeg_frame(SIDE, SIDE, [(0, 0)] * 3), BROKEN
    yield "JPEG of 255 components", jpeg_frame(SIDE, SIDE, [(0x11, 0)] * 255), BROKEN
    yield "JPEG with a missing table", jpeg_frame(SIDE, SIDE, [(0x11, 3)] * 3), BROKEN
    yield "JPEG of markers alone", b"\xff\xd8" + b"\xff\xfe\0\2" * 100_000 + b"\xff\xd9", BROKEN
    yield "TIFF of 2^31 strips", tiff(grey_tags(t273=(4, 2**31, behind))), BROKEN
    yield "TIFF of 65535 samples", tiff(grey_tags(t277=(3, 1, 65_535))), BROKEN
    yield "TIFF of 2^31 bit depths", tiff(grey_tags(t258=(3, 2**31, behind))), BROKEN
    yield "TIFF of 65535 bits", tiff(grey_tags(t258=(3, 1, 65_535))), BROKEN
    yield "TIFF of unknown compression", tiff(grey_tags(t259=(3, 1, 999))), BROKEN
    yield "TIFF whose LZW is noise", tiff(grey_tags(t259=(3, 1, 5)), GREY_PIXELS), BROKEN
    yield "TIFF strip behind the end", tiff(grey_tags(t273=(4, 1, 2**31))), BROKEN
    yield "TIFF without tags", tiff({}), BROKEN
    yield "TIFF of 65535 tags", b"II*\0\x08\0\0\0\xff\xff" + b"\0" * 64, BROKEN
    yield "BigTIFF, directory far away", b"II+\0\x08\0\0\0" + b"\xff" * 8, BROKEN
    yield "TIFF of no height", tiff(grey_tags(SIDE, 0), GREY_PIXELS), ANY_REFUSAL
    yield "WebP chunk of 4 GiB", WEBP[:16] + b"\xff" * 4 + WEBP[20:], BROKEN
    yield "one pixel", encode(Image.new("RGB", (1, 1))), TOO_SMALL
    yield "31 px high", encode(Image.new("RGB", (200, 31)), "JPEG"), TOO_SMALL


def several_pages() -> Iterator[BadImage]:
    pages = {"save_all": True, "append_images": [texture(seed=1)]}
    for kind in ("PNG", "TIFF", "WEBP"):
        yield f"{kind} of two pictures", encode(texture(), kind, **pages), SEVERAL
    yield "GIF of two pictures", encode(texture(), "GIF", **pages), UNKNOWN
    yield "TIFF directories in a ring", tiff_ring(2), SEVERAL
    yield "TIFF of 100000 directories", tiff_ring(100_000), SEVERAL


def float_pixels() -> Iterator[BadImage]:
    ramp = np.linspace(0, 1, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)
    for name, value in (("", 0.5), (" and NaN", np.nan), (" and infinity", np.inf)):
        ramp[3, 3] = value
        yield f"TIFF of floats{name}", encode(Image.fromarray(ramp), "TIFF"), UNKNOWN


def wrong_types() -> Iterator[BadImage]:
    markup = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    files = {
        "GIF": encode(texture(), "GIF"),
        "GIF with JavaScript": b"GIF89a/*" + encode(texture(), "GIF")[8:] + b"*/=1;alert(1)",
        "SVG": markup,
        "HTML": b"<!doctype html><script>alert(1)</script>" + PNG,
        "PSD": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, SIDE, SIDE, 8, 3) + bytes(64),
        "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n(/bin/id) run\n",
        "PDF with a JPEG in it": b"%PDF-1.4\n1 0 obj<</Length 9>>stream\n" + JPEG,
        "ICO": encode(texture(), "ICO"),
        "JPEG 2000": encode(texture(), "JPEG2000"),
        "PPM": encode(texture(), "PPM"),
        "TGA": encode(texture(), "TGA"),
        "DDS": encode(texture(), "DDS"),
        "MP4": b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(200),
        "ELF": b"\x7fELF\2\1\1" + bytes(200),
        "text": b"a very good hazelnut\n" * 100,
        "XML bomb": b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaa">]><l>&a;</l>',
        "PNG signature before a ZIP": PNG_SIGNATURE + zipped(PNG),
        "one byte": b"\x89",
        "line ends translated": PNG.replace(b"\r\n", b"\n"),
    }
    for name, content in files.items():
        yield name, content, BROKEN if name.startswith("PNG") else UNKNOWN
    yield "no byte", b"", frozenset({"empty-image"})


def bad_archives() -> Iterator[BadImage]:
    refused, large = frozenset({"unusable-archive"}), frozenset({"image-too-large"})
    many = frozenset({"too-many-images"})
    yield "ZIP with a path out of it", zipped(PNG), refused
    yield "ZIP of 256 MiB of zeros", zipped(bytes(2**28), "a.png"), large
    yield "ZIP in a ZIP", zipped(zipped(PNG, "a.png"), "a.zip"), refused
    yield "ZIP of 20000 files", zipped(b"", *(f"{n}.txt" for n in range(20_000))), refused
    yield "ZIP of 500 images", zipped(PNG, *(f"{n}.png" for n in range(500))), many
    yield "ZIP without its end", zipped(PNG, "a.png")[:-30], refused
    yield "ZIP of no image", zipped(b"", "a.txt"), frozenset({"no-images"})


def bad_images() -> list[BadImage]:
    """(name, content, slugs of the problems that may answer it)."""
    sources = (
        truncated,
        bombs,
        absurd_headers,
        several_pages,
        float_pixels,
        wrong_types,
        bad_archives,
    )
    return [image for source in sources for image in source()]


def costly_image() -> bytes:
    """A small file of an image that takes long to decode: a progressive JPEG of 49 megapixels."""
    return encode(texture(), "JPEG", progressive=True).replace(
        struct.pack(">HH", SIDE, SIDE), struct.pack(">HH", 7_000, 7_000), 1
    )


def odd_images() -> dict[str, bytes]:
    """Strange and legal."""
    picture = texture()
    lab = ImageCms.createProfile("LAB")
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), lab, "RGB", "LAB")
    deep = np.asarray(picture.convert("L")).astype(np.uint16) * 257
    deflated = zlib.compress(bytes(50 * 2**20))
    exif = b"Raw profile type exif\0\0" + deflated
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**20)))
    return {
        "zTXt bomb": png(before=[chunk(b"zTXt", b"a\0\0" + deflated)]),
        "zTXt bomb that claims to be Exif": png(before=[chunk(b"zTXt", exif)]),
        "iTXt bomb": png(before=[chunk(b"iTXt", b"a\0\1\0\0\0" + deflated)]),
        "iCCP bomb": png(before=[chunk(b"iCCP", b"a\0\0" + deflated)]),
        "100 zTXt of 1 MiB": png(before=[text] * 100),
        "CMYK TIFF": encode(picture.convert("CMYK"), "TIFF"),
        "CMYK JPEG": encode(picture.convert("CMYK"), "JPEG"),
        "LAB TIFF": encode(ImageCms.applyTransform(picture, to_lab), "TIFF"),
        "YCbCr TIFF": encode(picture.convert("YCbCr"), "TIFF"),
        "palette PNG": encode(picture.quantize(7)),
        "palette BMP": encode(picture.quantize(200), "BMP"),
        "black and white TIFF": encode(picture.convert("1"), "TIFF", compression="group4"),
        "16-bit PNG": encode(Image.fromarray(deep)),
        "16-bit TIFF": encode(Image.fromarray(deep), "TIFF"),
        "PNG with a ZIP behind it": PNG + zipped(PNG),
        "JPEG with a script behind it": JPEG + b"<script>alert(1)</script>",
        "PNG with 50 MB of data too many": png(rows=bytes(50 * 2**20)),
        "TIFF directory that is its own next": tiff(grey_tags(), GREY_PIXELS, next_ifd=8),
        "Exif orientation 9": with_exif(9),
        "Exif orientation 65535": with_exif(65_535),
        "Exif of 60 kB": with_exif(6, padding=60_000),
        "PNG Exif of 2 MB": with_exif(6, padding=2_000_000, kind="PNG"),
        "Exif in a ring": exif_loop(),
        "BMP upside down": encode(picture, "BMP").replace(
            struct.pack("<ii", SIDE, SIDE), struct.pack("<ii", SIDE, -SIDE), 1
        ),
        "progressive JPEG": encode(picture, "JPEG", progressive=True),
        "progressive JPEG of 49 megapixels": costly_image(),
        "grey PNG with alpha": encode(picture.convert("LA")),
        "deflated TIFF": encode(picture, "TIFF", compression="tiff_adobe_deflate"),
    }
