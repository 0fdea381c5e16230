"""TIFF: tifffile, which keeps every bit; what it means is told by the tags, or the file refused.

Pillow reads the rest, of 8 bits: YCbCr and LAB. A page that is marked as reduced (a thumbnail) or
as a mask is no page.
"""

import io
import struct

from PIL import Image
from tifffile import COMPRESSION, PHOTOMETRIC, TiffFile, TiffFileError, TiffPage

from app.images.formats.eight_bit import to_picture
from app.images.formats.jpeg import check_scans
from app.images.formats.size_limit import check_size
from app.images.formats.tiff_samples import to_stored_picture
from app.images.limits import ImageLimits
from app.images.orientation import ORIENTATION_TAG, valid_orientation
from app.images.picture import Picture
from app.problems import DamagedImage, NotAnImage, SeveralFrames

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# NewSubfileType: a reduced version of another page, and a mask of one.
NO_PAGE = 0b101
MAX_DIRECTORIES = 64
JPEG = (COMPRESSION.OJPEG, COMPRESSION.JPEG)
FAX = (COMPRESSION.CCITTRLE, COMPRESSION.CCITT_T4, COMPRESSION.CCITT_T6)
COMPRESSIONS = (
    COMPRESSION.NONE,
    COMPRESSION.LZW,
    COMPRESSION.ADOBE_DEFLATE,
    COMPRESSION.DEFLATE,
    COMPRESSION.PACKBITS,
    COMPRESSION.LZMA,
    COMPRESSION.ZSTD,
    *FAX,
    *JPEG,
)
BY_PILLOW = (PHOTOMETRIC.YCBCR, PHOTOMETRIC.CIELAB)


def read_tiff(data: bytes, limits: ImageLimits) -> Picture:
    """The picture of the only page.

    Raises:
        NotAnImage: there is no directory, or its kind of pixels has no certain meaning.
        DamagedImage: the file breaks off or contradicts itself.
        ImageTooLarge, ImageTooSmall: the tags say so.
        ImageTooCostly: a strip is a JPEG of too many scans.
        SeveralFrames: there is more than one page.
    """
    try:
        file = TiffFile(io.BytesIO(data))
    except MemoryError:
        raise
    except Exception as error:
        raise NotAnImage("It begins like TIFF, but its directory makes no sense.") from error
    with file:
        number, page = _only_page(file)
        if not page.imagewidth or not page.imagelength:
            raise DamagedImage("The TIFF has no size.")
        check_size(page.imagewidth, page.imagelength, limits)
        _check_layout(page, len(data))
        orientation = valid_orientation(page.tags.valueof(ORIENTATION_TAG))
        if page.photometric in BY_PILLOW:
            return _read_by_pillow(data, number, page)
        return to_stored_picture(page, orientation)


def _only_page(file: TiffFile) -> tuple[int, TiffPage]:
    """(its number in the file, the page), whatever thumbnails and masks stand beside it."""
    found: tuple[int, TiffPage] | None = None
    places = set()
    for number in range(MAX_DIRECTORIES):
        try:
            page = file.pages[number]
        except (IndexError, TiffFileError, ValueError, struct.error):
            break
        # A directory may name itself, or an earlier one, as the next.
        if page.offset in places:
            break
        places.add(page.offset)
        if not isinstance(page, TiffPage) or page.subfiletype & NO_PAGE:
            continue
        if found is not None:
            raise SeveralFrames("The file has several pages; send one picture.")
        found = number, page
    if found is None:
        raise NotAnImage("The TIFF has no page but thumbnails or masks.")
    return found


def _check_layout(page: TiffPage, num_bytes: int) -> None:
    """The tags make one whole picture whose strips or tiles are all in the file.

    tifffile would fill what is missing with black.
    """
    if page.imagedepth != 1 or page.tiledepth != 1:
        raise SeveralFrames("The TIFF is a volume; send one picture.")
    if page.compression not in COMPRESSIONS:
        raise NotAnImage(f"TIFF compression {page.compression:d} is not read; LZW is.")
    if page.planarconfig not in (1, 2) or page.fillorder not in (1, 2):
        raise DamagedImage("The TIFF's planes or bits are in no known order.")
    planes = page.samplesperpixel if page.planarconfig == 2 else 1
    across, down = 1, -(-page.imagelength // max(1, page.rowsperstrip))
    if page.is_tiled:
        if min(page.tilewidth, page.tilelength) < 1:
            raise DamagedImage("The TIFF's tiles have no size.")
        across = -(-page.imagewidth // page.tilewidth)
        down = -(-page.imagelength // page.tilelength)
    expected = planes * across * down
    if not len(page.dataoffsets) == len(page.databytecounts) == expected:
        raise DamagedImage(f"The TIFF does not have the {expected} strips or tiles that it needs.")
    for start, length in zip(page.dataoffsets, page.databytecounts, strict=True):
        if not (start > 0 and 0 < length <= num_bytes - start):
            raise DamagedImage("The TIFF breaks off: some of its pixels are not in the file.")
    if page.compression in JPEG:
        _check_jpegs(page)


def _check_jpegs(page: TiffPage) -> None:
    """Each strip is a JPEG of its own."""
    handle = page.parent.filehandle
    for start, length in zip(page.dataoffsets, page.databytecounts, strict=True):
        handle.seek(start)
        check_scans(handle.read(length))


def _read_by_pillow(data: bytes, number: int, page: TiffPage) -> Picture:
    if page.bitspersample != 8:
        raise NotAnImage("A YCbCr or LAB TIFF of more than 8 bits; send RGB or grey.")
    with Image.open(io.BytesIO(data), formats=("TIFF",)) as image:
        image.seek(number)
        image.load()
        return to_picture(image)
