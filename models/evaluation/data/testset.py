"""A category's test images as the detector sees them: features, labels, masks."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.catalog.embedded import LITE0_SHA256
from models.evaluation.cells import digest
from models.evaluation.data.dataset import Category, load_image
from models.evaluation.detector import patchcore, resnet18
from models.evaluation.detector.networks import PatchNetwork
from models.evaluation.detector.patchcore import IMAGE_PX
from models.features import patches

# A thin crack must not vanish between samples: a pixel of the small mask is defective from here on.
DEFECTIVE_SHARE = 0.25


@dataclass(frozen=True)
class TestSet:
    """A category's test images as the detector sees them.

    Attributes:
        labels: (B,) true where defective.
        patches: (B, P, F) patch features.
        masks: (B, 224, 224) true where defective, for the images of `with_mask`; all false else.
        with_mask: (B,) true for normal images and for defective ones that somebody drew a mask for.
    """

    __test__ = False

    labels: NDArray[np.bool_]
    patches: Tensor
    masks: NDArray[np.bool_]
    with_mask: NDArray[np.bool_]

    @property
    def has_masks(self) -> bool:
        """Whether pixel figures can be had."""
        return bool(self.masks.any())


def read_test_set(
    category: Category, features: PatchNetwork, folder: Path, *, revision: str = LITE0_SHA256
) -> TestSet:
    """Reads the category's test images; their features are extracted once and kept in `folder`.

    `revision` is the SHA-256 of the network's weights.
    """
    files = [image.path for image in category.test]
    code = [Path(str(module.__file__)) for module in (patchcore, patches, resnet18)]
    name = f"{category.name}-{digest({'weights': revision}, [*files, *code])}.safetensors"
    cached = folder / name
    if not cached.exists():
        folder.mkdir(exist_ok=True)
        extracted = patchcore.extract(features, [load_image(path) for path in files])
        partial = cached.with_suffix(".partial")
        save_file({"patches": extracted}, partial)
        partial.rename(cached)
    labels = np.array([image.is_defective for image in category.test])
    masks = np.stack([_load_mask(image.mask) for image in category.test])
    with_mask = masks.any(axis=(1, 2)) | ~labels  # an empty mask of a defect says nothing
    return TestSet(labels, load_file(cached)["patches"], masks, with_mask)


def _load_mask(path: Path | None) -> NDArray[np.bool_]:
    """The mask at the detector's size, (224, 224)."""
    if path is None:
        return np.zeros((IMAGE_PX, IMAGE_PX), dtype=bool)
    with Image.open(path) as opened:
        mask = np.asarray(opened.convert("L")) > 0
    shares = Image.fromarray(mask.astype(np.float32)).resize((IMAGE_PX,) * 2, Image.Resampling.BOX)
    return np.asarray(shares) > DEFECTIVE_SHARE
