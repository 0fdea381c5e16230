"""Small images and models that several test files share."""

from collections.abc import Iterator
from contextlib import contextmanager

import nltk
import numpy as np
import pytest
import torch
from nltk.corpus.reader.wordnet import WordNetCorpusReader
from torch import Tensor

from models.features.patches import PatchFeatures, load_patch_features
from models.generator.vqgan import VarianceAwareVQModel
from models.guard import normality
from models.prompt.wordnet import load_wordnet


def small_vqgan(*, patch_size: int = 2) -> VarianceAwareVQModel:
    torch.manual_seed(0)
    fold = 3 * patch_size**2
    return VarianceAwareVQModel(
        in_channels=fold,
        out_channels=fold,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(8, 16),
        latent_channels=4,
        num_vq_embeddings=64,
        norm_num_groups=4,
        mid_block_add_attention=False,
        patch_size=patch_size,
    ).eval()


@pytest.fixture(scope="session")
def wordnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WordNetCorpusReader]:
    """Read once: most of its index is read at once, by Python."""
    paths = list(nltk.data.path)
    yield load_wordnet(tmp_path_factory.mktemp("wordnet"))
    nltk.data.path[:] = paths


@pytest.fixture(scope="session")
def features() -> PatchFeatures:
    return load_patch_features()


@contextmanager
def small_guard() -> Iterator[None]:
    """A guard that hardly enlarges small images: to do so takes it most of a small job's time.

    What the enlarging is good for, the guard's own tests say.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normality, "LEAST_SIDE_PX", 128)
        yield


@pytest.fixture
def vqgan() -> VarianceAwareVQModel:
    return small_vqgan()


def part_image(*, angle_deg: float, size: int = 128, seed: int = 0) -> Tensor:
    """A lone, striped, egg-shaped part on a dark ground, (3, size, size) in [0, 1]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    angle = np.radians(angle_deg)
    along = x * np.cos(angle) - y * np.sin(angle)
    across = x * np.sin(angle) + y * np.cos(angle)
    inside = (along / (0.36 + 0.0 * along)) ** 2 + (across / (0.22 + 0.15 * along)) ** 2 < 1
    stripes = 0.55 + 0.2 * np.cos(60 * across) + 0.03 * rng.standard_normal((size, size))
    grey = np.where(inside, stripes, 0.08 + 0.01 * rng.standard_normal((size, size)))
    tint = np.array([1.0, 0.75, 0.5])[:, None, None]
    return torch.from_numpy((grey[None] * tint).clip(0, 1)).float()


def shadowed_part() -> tuple[Tensor, Tensor]:
    """A dark block on a light ground, its soft shadow running out of the picture; where it is.

    (3, 256, 256) in [0, 1] and (256, 256) bool.
    """
    y, x = torch.meshgrid(torch.arange(256) - 128, torch.arange(256) - 128, indexing="ij")
    part = (x.abs() < 40) & (y > -70) & (y < 85)
    shadow = 0.3 * torch.exp(-((x / 35.0) ** 2 + ((y - 85).clamp_min(0) / 60.0) ** 2) / 2)
    noise = 0.005 * torch.randn(256, 256, generator=torch.Generator().manual_seed(0))
    return (torch.where(part, 0.25, 0.8 - shadow * (y > 0)) + noise).expand(3, -1, -1), part


def texture_image(*, size: int = 128, seed: int = 0) -> Tensor:
    """Vertical scratches of random strength that fill the frame, (3, size, size) in [0, 1]."""
    rng = np.random.default_rng(seed)
    lines = rng.standard_normal(size)[None, :].repeat(size, axis=0)
    grey = 0.5 + 0.12 * lines + 0.03 * rng.standard_normal((size, size))
    return torch.from_numpy(grey[None].repeat(3, axis=0).clip(0, 1)).float()
