"""From a picture to what is known of it."""

import hashlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from app.images.facts import ImageFacts
from app.images.picture import Picture, Samples

# Percentiles are as good from about this many pixels as from all.
SAMPLED_PIXELS = 1_000_000
# Rows that are looked at together have about this many pixels: bounds the memory that it takes.
STRIP_PIXELS = 1_000_000
# Sharpness is that of the picture at this long side: what a generated image can show of it.
SHARPNESS_SIDE_PX = 512


def measure(picture: Picture) -> ImageFacts:
    """What is known of the picture without its pixels."""
    width, height = picture.size
    visible = _sampled(picture)
    low, high = np.percentile(visible, [1, 99])
    edges = np.percentile(visible, [0.1, 99.9], axis=0)
    return ImageFacts(
        width=width,
        height=height,
        num_channels=picture.num_channels,
        orientation=picture.orientation,
        bits=picture.bits,
        storage_bits=picture.storage_bits,
        inverted=picture.inverted,
        largest=_largest(picture),
        low=float(low),
        high=float(high),
        spread=float((edges[1] - edges[0]).max()),
        transparent=_transparent(picture),
        sharpness=_sharpness(_reduced(picture)),
        fingerprint=_fingerprint(picture),
        has_unused_alpha=picture.has_unused_alpha,
        has_unknown_channel=picture.has_unknown_channel,
    )


def _sampled(picture: Picture) -> Samples:
    """(pixels, channels): about `SAMPLED_PIXELS` visible ones, from all over the picture."""
    height, width = picture.samples.shape[:2]
    step = max(1, round((height * width / SAMPLED_PIXELS) ** 0.5))
    sampled = picture.samples[::step, ::step]
    if picture.alpha is None:
        return sampled.reshape(-1, sampled.shape[2])
    for samples, alpha in (
        (sampled, picture.alpha[::step, ::step]),
        (picture.samples, picture.alpha),
    ):
        # A picture that is visible in a few spots alone may have none of them in the sample.
        if (alpha > 0).any():
            return samples[alpha > 0]
    return sampled.reshape(-1, sampled.shape[2])


def _largest(picture: Picture) -> int:
    """The largest number of a visible pixel."""
    return max(
        int(picture.samples[rows].max() if seen is None else (picture.samples[rows] & seen).max())
        for rows, seen in _in_strips(picture)
    )


def _in_strips(picture: Picture) -> Iterator[tuple[slice, Samples | None]]:
    """(some rows, (rows, W, 1) with all bits set where they are visible; None without alpha)."""
    height, width = picture.samples.shape[:2]
    step = max(1, STRIP_PIXELS // width)
    for top in range(0, height, step):
        rows = slice(top, top + step)
        if picture.alpha is None:
            yield rows, None
        else:
            seen = np.zeros_like(picture.alpha[rows, :, None])
            seen[picture.alpha[rows] > 0] = np.iinfo(seen.dtype).max
            yield rows, seen


def _reduced(picture: Picture) -> NDArray[np.float64]:
    """(h, w): the channels' mean, in blocks of pixels, as many as `SHARPNESS_SIDE_PX` allows."""
    height, width, channels = picture.samples.shape
    block = -(-max(height, width) // SHARPNESS_SIDE_PX)
    rows, columns = height // block, width // block
    reduced = np.empty((rows, columns))
    for row in range(rows):
        here = slice(row * block, (row + 1) * block)
        strip = picture.samples[here, : columns * block]
        if picture.alpha is not None:
            # What a viewer sees there is paper: all bits are set.
            hidden = picture.alpha[here, : columns * block, None] == 0
            strip = strip | hidden * strip.dtype.type(np.iinfo(strip.dtype).max)
        parts = strip.reshape(block, columns, block * channels)
        reduced[row] = parts.mean(axis=(0, 2))
    return reduced


def _sharpness(grey: NDArray[np.float64]) -> float:
    """The energy of the Laplacian relative to the variance; blur lowers it, gain does not."""
    variance = grey.var()
    if min(grey.shape) < 3 or variance == 0:
        return 0.0
    inner = grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float(((around - 4 * inner) ** 2).mean() / variance)


def _transparent(picture: Picture) -> float:
    if picture.alpha is None:
        return 0.0
    return 1 - int(np.count_nonzero(picture.alpha)) / picture.alpha.size


def _fingerprint(picture: Picture) -> str:
    digest = hashlib.blake2b(digest_size=16)
    kind = (picture.samples.shape, picture.storage_bits, picture.inverted, picture.orientation)
    digest.update(repr(kind).encode())
    for rows, _ in _in_strips(picture):
        digest.update(np.ascontiguousarray(picture.samples[rows]).data)
        if picture.alpha is not None:
            digest.update(np.ascontiguousarray(picture.alpha[rows]).data)
    return digest.hexdigest()
