"""The networks that a figure is taken on: the product's own, and one that it uses nowhere.

What a method was fitted to in one network may be worth nothing in another one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from models.catalog.embedded import LITE0_SHA256
from models.evaluation.detector import resnet18
from models.features.patches import load_patch_features

LITE0, RESNET18 = "efficientnet-lite0", "resnet18"


class PatchNetwork(Protocol):
    """What a detector wants of a frozen network."""

    def patches(self, x: Tensor) -> Tensor:
        """Features (B, P, F) of the P patches, row by row, of images (B, 3, H, W) in [0, 1]."""
        ...


@dataclass(frozen=True)
class Network:
    """A network and what its figures are known by.

    Attributes:
        revision: SHA-256 of the weights.
    """

    name: str
    revision: str
    features: PatchNetwork


def load_networks() -> list[Network]:
    """Both networks, on the CPU.

    Raises:
        RuntimeError: the weights of one are missing or others than these figures were taken with.
    """
    loaders: dict[str, tuple[str, Callable[[], PatchNetwork]]] = {
        LITE0: (LITE0_SHA256, load_patch_features),
        RESNET18: (resnet18.SHA256, resnet18.load_resnet18),
    }
    return [Network(name, revision, load()) for name, (revision, load) in loaders.items()]
