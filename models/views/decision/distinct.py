"""Duplicates of one picture among the good images, which count once."""

from torch import Tensor

# Two images that differ by less in the mean are one picture, kept in two files or formats.
SAME_PICTURE = 0.001


def distinct(images: Tensor) -> list[int]:
    """Which of the images (k, 3, H, W) in [0, 1] show another picture than all earlier ones."""
    kept: list[int] = []
    for number in range(len(images)):
        differences = ((images[number] - images[n]).abs().mean() for n in kept)
        if all(float(difference) >= SAME_PICTURE for difference in differences):
            kept.append(number)
    return kept
