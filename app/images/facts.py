"""What is known of an image without its pixels: how it was stored and what there is to see."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """One image, in the numbers that its file has: which of them is white is decided later.

    Attributes:
        width: in px, upright.
        height: in px, upright.
        num_channels: of the file, alpha among them.
        orientation: Exif's, which has been applied.
        bits: how many bits of a number count; None when the file does not say.
        storage_bits: the most bits that a number of the file can have.
        inverted: 0 is white and the largest number black.
        largest: the largest number of a visible pixel.
        low: of all visible numbers, 1 % are at most this.
        high: of all visible numbers, 1 % are at least this.
        spread: between the extremes of a channel, the outermost thousandths left out; the largest
            of all channels.
        transparent: share of the pixels of which nothing is to be seen, 0 to 1.
        sharpness: what there is of fine structure relative to all structure, 0 and up.
        fingerprint: equal for equal pixels.
        has_unused_alpha: there was an alpha channel that is 0 everywhere.
        has_unknown_channel: there was a channel of which nothing says what it means.
    """

    width: int
    height: int
    num_channels: int
    orientation: int
    bits: int | None
    storage_bits: int
    inverted: bool
    largest: int
    low: float
    high: float
    spread: float
    transparent: float
    sharpness: float
    fingerprint: str
    has_unused_alpha: bool
    has_unknown_channel: bool

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in px, upright."""
        return self.width, self.height

    @property
    def is_deep(self) -> bool:
        """Its numbers have more than 8 bits."""
        return self.storage_bits > 8

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)
