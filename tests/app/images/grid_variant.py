"""One file of the format grid, and the picture that it is by plain arithmetic.

What the arithmetic starts from are the arrays that were written, so nothing here reads a file.
"""

from dataclasses import dataclass

import numpy as np

HEIGHT, WIDTH = 37, 43
# How the alpha channel is filled.
ALPHAS = ("opaque", "varied", "zero")


@dataclass(frozen=True)
class Variant:
    """One file.

    Attributes:
        format: of the file.
        pixels: what kind of pixels it has.
        depth: how many bits count, and in how many they are stored.
        layout: all else.
        content: the bytes.
        expected: (H, W, 3) uint8; None where nothing says what it shows, so that it is refused.
        tolerance: how far a pixel may be off, for what is coded with loss.
    """

    format: str
    pixels: str
    depth: str
    layout: str
    content: bytes
    expected: np.ndarray | None
    tolerance: int = 0

    @property
    def name(self) -> str:
        return f"{self.format} {self.pixels} {self.depth} {self.layout}"


def drawn(draw: np.random.Generator, channels: int, bits: int) -> np.ndarray:
    """Numbers up to the largest that the bits hold, which is among them."""
    kind = np.uint8 if bits <= 8 else np.uint16
    numbers = draw.integers(0, 2**bits, (HEIGHT, WIDTH, channels)).astype(kind)
    numbers[3, 5] = 2**bits - 1
    return numbers


def drawn_alpha(draw: np.random.Generator, bits: int, how: str) -> np.ndarray:
    """(H, W, 1): `how` is one of ALPHAS."""
    opaque = 2**bits - 1
    if how == "varied":
        alpha = draw.integers(0, opaque, (HEIGHT, WIDTH, 1), endpoint=True)
        alpha[3, 5], alpha[4, 5] = opaque, 0
    else:
        alpha = np.full((HEIGHT, WIDTH, 1), opaque if how == "opaque" else 0)
    return alpha.astype(np.uint8 if bits <= 8 else np.uint16)


def seen(
    colours: np.ndarray,
    bits: int,
    alpha: np.ndarray | None = None,
    *,
    inverted: bool = False,
    premultiplied: bool = False,
) -> np.ndarray:
    """The picture: white is 2^bits - 1, alpha over white paper, unless it is 0 everywhere."""
    white = 2**bits - 1
    tones = colours / white
    if inverted:
        tones = 1 - tones
    if alpha is not None and alpha.any():
        share = alpha / white
        tones = (tones if premultiplied else tones * share) + 1 - share
    picture = np.clip(np.rint(tones * 255), 0, 255).astype(np.uint8)
    return np.broadcast_to(picture, (*picture.shape[:2], 3))
