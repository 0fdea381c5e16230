"""From a picture and its white to what the method works with: 8-bit RGB, upright."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.images.orientation import turn_upright
from app.images.picture import Picture, Samples

# Pixels that are blended at a time: bounds the memory of the numbers in between.
BLOCK_PIXELS = 1_000_000
# Up to this share of a block's pixels are blended one by one; above it all at once is faster.
FEW = 0.2


def render(picture: Picture, bits: int) -> Image.Image:
    """The picture as it is to be looked at: white becomes 255, what is transparent white.

    Args:
        picture: decoded.
        bits: the white is 2^bits - 1; what lies above it is white too.
    """
    is_plain = bits == 8 and picture.samples.dtype == np.uint8 and not picture.inverted
    if picture.alpha is None:
        pixels = picture.samples if is_plain else _tone_table(picture, bits)[picture.samples]
    else:
        pixels = _laid_on_white(picture, bits)
    upright = turn_upright(pixels, picture.orientation)
    if upright.shape[2] == 1:
        return Image.fromarray(np.ascontiguousarray(upright[..., 0])).convert("RGB")
    return Image.fromarray(np.ascontiguousarray(upright))


def _tone_table(picture: Picture, bits: int) -> NDArray[np.uint8]:
    """What becomes of each number that can be stored."""
    white = 2**bits - 1
    stored = np.minimum(np.arange(np.iinfo(picture.samples.dtype).max + 1), white)
    tones = white - stored if picture.inverted else stored
    return np.round(tones * 255 / white).astype(np.uint8)


def _laid_on_white(picture: Picture, bits: int) -> NDArray[np.uint8]:
    assert picture.alpha is not None
    white = 2**bits - 1
    opaque = _opaque(picture, white)
    table = _tone_table(picture, bits)
    height, width = picture.samples.shape[:2]
    pixels = np.empty(picture.samples.shape, dtype=np.uint8)
    rows = max(1, BLOCK_PIXELS // width)
    for top in range(0, height, rows):
        here = slice(top, top + rows)
        samples, alpha = picture.samples[here], picture.alpha[here, :, None]
        partial = (alpha > 0) & (alpha < opaque)
        if np.count_nonzero(partial) > FEW * partial.size:
            pixels[here] = _blend(picture, samples, alpha / opaque, white)
            continue
        pixels[here] = table[samples]
        pixels[here][alpha[..., 0] == 0] = 255
        where = partial[..., 0]
        pixels[here][where] = _blend(picture, samples[where], alpha[where] / opaque, white)
    return pixels


def _blend(
    picture: Picture, samples: Samples, share: NDArray[np.float64], white: int
) -> NDArray[np.float64]:
    """(..., channels) numbers over paper, 0 to 255; of each a share (..., 1) is seen."""
    tones = np.minimum(samples, white).astype(np.float64)
    if picture.inverted:
        tones = white - tones
    seen = tones if picture.is_premultiplied else tones * share
    laid = seen + (1 - share) * white
    return np.minimum(np.round(laid * 255 / white), 255)


def _opaque(picture: Picture, white: int) -> int:
    """The alpha that hides the paper: a camera's white, unless alpha goes beyond it."""
    assert picture.alpha is not None
    return white if int(picture.alpha.max()) <= white else 2**picture.storage_bits - 1
