"""A TIFF page's numbers, and what its tags say that they mean.

What no tag says is not guessed but refused: which signed, floating-point or 32-bit number is white.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import PHOTOMETRIC, SAMPLEFORMAT, TiffPage

from app.images.picture import Picture, Samples
from app.problems import DamagedImage, NotAnImage

COLOUR_CHANNELS = {
    PHOTOMETRIC.MINISWHITE: 1,
    PHOTOMETRIC.MINISBLACK: 1,
    PHOTOMETRIC.PALETTE: 1,
    PHOTOMETRIC.RGB: 3,
    PHOTOMETRIC.SEPARATED: 4,
}
UNSIGNED = (SAMPLEFORMAT.UINT, SAMPLEFORMAT.VOID)
PREMULTIPLIED_ALPHA, ALPHA = 1, 2
COLOUR_MAP, INK_SET, PHOTOMETRIC_TAG = 320, 332, 262
CMYK = 1


def to_stored_picture(page: TiffPage, orientation: int) -> Picture:
    """The page with everything that its tags say about its numbers.

    Raises:
        NotAnImage: what they mean is not certain; the message says why.
        DamagedImage: they cannot be decoded.
    """
    num_colours = _check_meaning(page)
    storage_bits, bits = _depth(page)
    stored = _decode(page)
    colours, further = stored[..., :num_colours], stored[..., num_colours:]
    kinds = tuple(page.extrasamples) + (0,) * further.shape[2]
    places = [n for n in range(further.shape[2]) if kinds[n] in (PREMULTIPLIED_ALPHA, ALPHA)]
    if places and page.photometric == PHOTOMETRIC.MINISWHITE:
        raise NotAnImage("A WhiteIsZero TIFF with transparency; send BlackIsZero.")
    alpha = further[..., places[0]] if places else None
    if page.photometric == PHOTOMETRIC.PALETTE:
        colours = _look_up(page, colours)
        if alpha is not None and page.bitspersample != 8:
            raise NotAnImage("A palette of other than 8 bits with transparency; send RGB.")
        storage_bits = bits = 8
    elif page.photometric == PHOTOMETRIC.SEPARATED:
        full = _full_ink(colours, storage_bits, bits)
        colours = _without_inks(colours, full)
        alpha = None if alpha is None else np.round(alpha * (255 / full)).astype(np.uint8)
        storage_bits = bits = 8
    return Picture(
        samples=colours,
        alpha=alpha,
        is_premultiplied=bool(places) and kinds[places[0]] == PREMULTIPLIED_ALPHA,
        inverted=page.photometric == PHOTOMETRIC.MINISWHITE,
        bits=bits,
        storage_bits=storage_bits,
        orientation=orientation,
        num_channels=stored.shape[2],
        has_unknown_channel=further.shape[2] > len(places[:1]),
    )


def _check_meaning(page: TiffPage) -> int:
    """How many of the channels are colours."""
    if PHOTOMETRIC_TAG not in page.tags:
        raise DamagedImage("The TIFF does not say what its numbers mean (no tag 262).")
    if page.photometric not in COLOUR_CHANNELS:
        raise NotAnImage(f"TIFF pixels of kind {page.photometric:d} are not read; send RGB.")
    if page.sampleformat == SAMPLEFORMAT.IEEEFP:
        raise NotAnImage("Floating-point pixels have no white; send 8 or 16 bit.")
    if page.sampleformat not in (*UNSIGNED, SAMPLEFORMAT.INT):
        raise NotAnImage("Complex pixels, or channels of several kinds; send 8 or 16 bit.")
    if page.photometric == PHOTOMETRIC.SEPARATED and page.tags.valueof(INK_SET, CMYK) != CMYK:
        raise NotAnImage("Inks other than cyan, magenta, yellow and black; send RGB.")
    num_colours = COLOUR_CHANNELS[PHOTOMETRIC(page.photometric)]
    if page.samplesperpixel < num_colours:
        raise DamagedImage(f"The TIFF has {page.samplesperpixel} channels, too few for its kind.")
    return num_colours


def _depth(page: TiffPage) -> tuple[int, int | None]:
    """(the most bits that a number has room for, how many of them count if that is certain)."""
    bits = page.bitspersample
    if not isinstance(bits, int):
        raise NotAnImage("Channels of unlike depth; send 8 or 16 bit.")
    if page.sampleformat == SAMPLEFORMAT.INT:
        if bits not in (16, 32):
            raise NotAnImage(f"Signed pixels of {bits} bits; send unsigned ones.")
        return (15 if bits == 16 else 16), None
    if bits <= 8:
        return 8, 8
    if bits < 16:
        return 16, bits
    if bits in (16, 32):
        return 16, None
    raise NotAnImage(f"Pixels of {bits} bits; send 8 or 16.")


def _decode(page: TiffPage) -> Samples:
    """(H, W, channels), uint8 or uint16; fewer than 8 bits are spread to 8, but for a palette."""
    stored: NDArray[Any] = page.asarray(maxworkers=1)
    if page.planarconfig == 2 and stored.ndim == 3:
        stored = np.moveaxis(stored, 0, 2)
    stored = stored.reshape(page.imagelength, page.imagewidth, -1)
    if stored.dtype == bool:
        stored = stored.view(np.uint8)
    if page.bitspersample < 8 and page.photometric != PHOTOMETRIC.PALETTE:
        largest = 2**page.bitspersample - 1
        return np.round(np.arange(largest + 1) * 255 / largest).astype(np.uint8)[stored]
    if stored.dtype in (np.uint8, np.uint16):
        return stored
    lowest, highest = int(stored.min()), int(stored.max())
    if lowest < 0:
        raise NotAnImage("Signed pixels below 0: nothing says which is black; send unsigned ones.")
    if highest >= 2**16:
        raise NotAnImage(f"Pixels up to {highest}: nothing says which is white; send 16 bit.")
    return stored.astype(np.uint16)


def _look_up(page: TiffPage, indices: Samples) -> NDArray[np.uint8]:
    """The palette's colours, (H, W, 3)."""
    palette = np.asarray(page.tags.valueof(COLOUR_MAP), dtype=np.int64)
    if palette.size != 3 * 2**page.bitspersample:
        raise DamagedImage("The TIFF's palette has the wrong length.")
    # The tag wants 16 bits; some programs write 8, and libtiff tells them apart in this way too.
    if palette.max() > 255:
        palette = palette >> 8
    return palette.astype(np.uint8).reshape(3, -1).T[indices[..., 0]]


def _full_ink(inks: Samples, storage_bits: int, bits: int | None) -> int:
    if bits is None and int(inks.max()) < 2**14:
        raise NotAnImage(
            f"Inks up to {int(inks.max())} in {storage_bits} bits: nothing says which is full; "
            "send RGB."
        )
    return 2 ** (bits or storage_bits) - 1


def _without_inks(inks: Samples, full: int) -> NDArray[np.uint8]:
    """Cyan, magenta, yellow and black as RGB: each ink takes its share of the light."""
    colours = np.empty((*inks.shape[:2], 3), dtype=np.uint8)
    for row, line in enumerate(inks):
        light = 1 - line / full
        colours[row] = np.round(light[:, :3] * light[:, 3:] * 255)
    return colours
