"""JPEG, by Pillow. What its scans will cost is known before the first is decoded."""

import re
import struct

from app.images.formats.eight_bit import read_eight_bit
from app.images.formats.size_limit import check_size
from app.images.limits import ImageLimits
from app.images.picture import Picture
from app.problems import DamagedImage, ImageTooCostly, NotAnImage

SIGNATURE = b"\xff\xd8\xff"
# Each scan goes over all pixels again. Encoders make about ten; nobody needs as many as this.
MAX_SCANS = 64
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
# Frames that are decoded: baseline, extended and progressive, Huffman or arithmetic.
READ_FRAMES = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
OTHER_FRAMES = (0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF)
WITHOUT_LENGTH = (0x01, *range(0xD0, 0xD9))
# What ends a scan's data: a marker that is neither a stuffed byte nor a restart.
MARKER = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")
MAX_SEGMENTS = 250_000


def read_jpeg(data: bytes, limits: ImageLimits) -> Picture:
    """The picture; of a phone's several the first.

    Raises:
        NotAnImage: lossless, hierarchical or of 12 bits, or no header.
        ImageTooLarge, ImageTooSmall: the header says so.
        ImageTooCostly: more than `MAX_SCANS` scans.
        DamagedImage: there is no picture in it.
    """
    check_scans(data, limits)
    return read_eight_bit(data, ("JPEG", "MPO"), limits)


def check_scans(data: bytes, limits: ImageLimits | None = None) -> None:
    """Lets pass what can be decoded at a usual cost; `limits` also bounds the size.

    Raises:
        NotAnImage, ImageTooLarge, ImageTooSmall, ImageTooCostly: as in `read_jpeg`.
    """
    place, num_scans = 2, 0
    for _ in range(MAX_SEGMENTS):
        found = MARKER.search(data, place)
        if found is None:
            return
        kind, place = data[found.end() - 1], found.end()
        if kind == END_OF_IMAGE:
            return
        if kind in WITHOUT_LENGTH or place + 2 > len(data):
            continue
        (length,) = struct.unpack_from(">H", data, place)
        if kind in (*READ_FRAMES, *OTHER_FRAMES):
            _check_frame(kind, data[place + 2 : place + length], limits)
        num_scans += kind == START_OF_SCAN
        if num_scans > MAX_SCANS:
            raise ImageTooCostly(f"A JPEG of more than {MAX_SCANS} scans.")
        place += max(2, length)
    raise ImageTooCostly(f"A JPEG of more than {MAX_SEGMENTS} segments.")


def _check_frame(kind: int, frame: bytes, limits: ImageLimits | None) -> None:
    if kind in OTHER_FRAMES:
        raise NotAnImage("A lossless or hierarchical JPEG; send baseline or progressive.")
    if len(frame) < 5:
        raise DamagedImage("The JPEG's header breaks off.")
    precision, height, width = struct.unpack_from(">BHH", frame)
    if precision != 8:
        raise NotAnImage(f"A JPEG of {precision} bits; send 8, or 16 in PNG or TIFF.")
    if limits is not None:
        check_size(width, height, limits)
