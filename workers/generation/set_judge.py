"""Judges a set by real images that nothing was made from: it looks like them, it covers them.

Points of images as in `models.evaluation.fidelity`, in the product's own network.
"""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models.evaluation.detector.networks import LITE0, PatchNetwork
from models.evaluation.fidelity.embedding import embed
from models.evaluation.fidelity.precision_coverage import coverage, neighbour_radii, precision
from workers.generation.held_out import HeldOut

DIGITS = 4


class SetJudge:
    """Sees a set's images one by one and says how they lie among the held-out ones.

    Args:
        given: what the set is made from.
        held_out: at least `app.jobs.inputs.MIN_HELD_OUT` different ones.
        network: in which images are compared.
    """

    def __init__(self, given: Sequence[Image.Image], held_out: HeldOut, network: PatchNetwork):
        self._network = network
        self._held_out = held_out.distinct()
        self._real = embed(network, self._held_out.images)  # (N, 2 F)
        self._radii = neighbour_radii(self._real)  # (N,)
        self._given = embed(network, given)
        self._made: list[Tensor] = []

    def see(self, pixels: np.ndarray) -> None:
        """One more image of the set, (H, W, 3) uint8."""
        self._made.append(embed(self._network, [Image.fromarray(pixels)]))

    def figures(self) -> dict[str, object]:
        """JSON-able, of the given images and of all that were seen."""
        made = torch.cat(self._made) if self._made else self._given[:0]
        return {
            "num_images": len(self._real),
            "network": LITE0,
            "given": self._figures(self._given),
            "new": self._figures(made),
            "images": [
                {
                    "file": told.model_dump(mode="json"),
                    "near_given": self._is_covered(number, self._given),
                    "near_new": self._is_covered(number, made),
                }
                for number, told in enumerate(self._held_out.understood)
            ],
        }

    def _figures(self, points: Tensor) -> dict[str, float]:
        return {
            "precision": round(precision(points, self._real, self._radii), DIGITS),
            "coverage": round(coverage(points, self._real, self._radii), DIGITS),
        }

    def _is_covered(self, number: int, points: Tensor) -> bool:
        one = slice(number, number + 1)
        return coverage(points, self._real[one], self._radii[one]) > 0
