"""Real good images that a set was not made from, in two halves."""

import random
from dataclasses import dataclass
from pathlib import Path

from models.evaluation.data.dataset import Category
from models.evaluation.fidelity.precision_coverage import NEIGHBOUR

# Other draws of random numbers than those that choose the given images.
HALVES_SEED = 1_000_003


@dataclass(frozen=True)
class Halves:
    """A draw of a category's training images.

    Attributes:
        given: the k images that sets are made from.
        reference: A, what sets are compared with.
        others: B, as good as a set can be.
    """

    given: tuple[Path, ...]
    reference: tuple[Path, ...]
    others: tuple[Path, ...]


def draw_halves(category: Category, shots: int, seed: int) -> Halves:
    """The k = `shots` given images of a seed, and all other training images in two halves.

    Test images are in neither, so that a detector may be trained on B.

    Raises:
        ValueError: too few training images are left for a neighbourhood.
    """
    given = category.choose(shots, seed)
    rest = [path for path in category.train if path not in given]
    if len(rest) < 2 * (NEIGHBOUR + 1):
        raise ValueError(
            f"{category.name} has {len(rest)} training images besides the {shots} given; "
            f"{2 * (NEIGHBOUR + 1)} are needed to say what the line makes"
        )
    random.Random(HALVES_SEED + seed).shuffle(rest)
    middle = len(rest) // 2
    return Halves(given, tuple(rest[middle:]), tuple(rest[:middle]))
