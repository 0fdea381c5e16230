"""What one image may be, and what its decoding may take."""

from dataclasses import dataclass

from app.settings import Settings


@dataclass(frozen=True, kw_only=True)
class ImageLimits:
    """What one image may be."""

    max_bytes: int
    max_pixels: int
    min_side_px: int

    @classmethod
    def from_settings(cls, settings: Settings) -> "ImageLimits":
        """The limits that the operator has set."""
        return cls(
            max_bytes=settings.max_image_bytes,
            max_pixels=settings.max_image_pixels,
            min_side_px=settings.min_image_side_px,
        )


@dataclass(frozen=True, kw_only=True)
class DecodingLimits:
    """What one decoding may take.

    Attributes:
        cpu_s: seconds of processor time, not of the clock: a busy machine refuses nobody's image.
        memory_bytes: address space beyond what the decoding process has before its first image.
    """

    cpu_s: float
    memory_bytes: int

    @classmethod
    def from_settings(cls, settings: Settings) -> "DecodingLimits":
        """The limits that the operator has set."""
        return cls(cpu_s=settings.decoding_cpu_s, memory_bytes=settings.decoding_memory_bytes)
