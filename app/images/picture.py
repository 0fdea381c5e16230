"""A decoded image before its white is decided: what every format is read into."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The stored numbers, as the file has them but for their order.

    Attributes:
        samples: (H, W, 1) grey or (H, W, 3) RGB, uint8 or uint16; black is 0, unless `inverted`.
        alpha: (H, W) of the same type, 0 where nothing is to be seen; None without transparency.
        alpha_is_channel: alpha is stored; False when a colour stands for nothing.
        is_premultiplied: the colours have been multiplied by alpha already.
        inverted: 0 is white, as in TIFF's WhiteIsZero.
        bits: the white is 2^bits - 1; None when the file does not say how many of its bits count.
        storage_bits: the most bits that a number of the file can have.
        orientation: Exif's, 1 to 8; 1 is upright.
        num_channels: how many the file has, alpha among them.
        has_unused_alpha: there was an alpha channel that is 0 everywhere.
        has_unknown_channel: there was a channel of which nothing says what it means.
    """

    samples: Samples
    alpha: Samples | None = None
    alpha_is_channel: bool = True
    is_premultiplied: bool = False
    inverted: bool = False
    bits: int | None = 8
    storage_bits: int = 8
    orientation: int = 1
    num_channels: int
    has_unused_alpha: bool = False
    has_unknown_channel: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in px, upright."""
        height, width = self.samples.shape[:2]
        return (height, width) if self.orientation > 4 else (width, height)

    def without_idle_alpha(self) -> "Picture":
        """The same picture; an alpha that hides everything or nothing is left out."""
        if self.alpha is None:
            return self
        lowest, highest = int(self.alpha.min()), int(self.alpha.max())
        if highest == 0 and self.alpha_is_channel:
            return replace(self, alpha=None, is_premultiplied=False, has_unused_alpha=True)
        if lowest == 2**self.storage_bits - 1:
            return replace(self, alpha=None, is_premultiplied=False)
        return self
