"""What one image may be, and what its decoding may take.

The decoding child imports this: it knows no settings, which would take longer to import than all
decoders.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ImageLimits:
    """What one image may be."""

    max_bytes: int
    max_pixels: int
    min_side_px: int


@dataclass(frozen=True, kw_only=True)
class DecodingLimits:
    """What one decoding may take.

    Attributes:
        cpu_s: seconds of processor time, not of the clock: a busy machine refuses nobody's image.
        memory_bytes: address space beyond what the decoding process has before its first image.
    """

    cpu_s: float
    memory_bytes: int
