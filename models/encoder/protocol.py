"""Text-image encoders: one protocol, and the place where a setting becomes an encoder."""

from typing import Protocol

import torch
from torch import Tensor

from models.encoder.devise import load_devise
from models.features.patches import PatchFeatures


class TextImageEncoder(Protocol):
    """Texts and images as unit vectors of one space: f(I) and G(S) in TGI-AD's symbols.

    Axes: T texts, B batch, H x W pixels, D embedding dimensions.
    """

    def to(self, device: torch.device) -> "TextImageEncoder":
        """The encoder on the device."""
        ...

    def embed_text(self, texts: list[str]) -> Tensor:
        """G(S): (T, D) float, L2 norm 1, for T >= 1 texts, without gradients."""
        ...

    def embed_image(self, x: Tensor) -> Tensor:
        """f(I): (B, D) float, L2 norm 1, for x (B, 3, H, W) in [0, 1], differentiable in x."""
        ...


def load_encoder(source: str, features: PatchFeatures | None = None) -> TextImageEncoder:
    """The encoder that `source` names: `embedded`, a folder with a CLIP, or a CLIP on a model hub.

    Args:
        source: the setting.
        features: a network that the embedded encoder may share; it loads its own if None.

    Raises:
        RuntimeError: there is none; one sentence that names the source.
    """
    if source == "embedded":
        return load_devise(features=features)
    from models.encoder.clip import load_clip  # noqa: PLC0415, transformers

    return load_clip(source)
