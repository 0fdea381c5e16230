import numpy as np
import pytest
import torch
from PIL import Image

from models.evaluation.detector.patchcore import (
    PatchCore,
    anomaly_maps,
    coreset,
    extract,
)
from tests.models.evaluation.conftest import stain, tile


@pytest.fixture(scope="module")
def images() -> list[Image.Image]:
    return [Image.fromarray(tile(seed)) for seed in range(2)]


def radius(patches: torch.Tensor, chosen: torch.Tensor) -> float:
    return float(torch.cdist(patches, chosen).amin(dim=1).max())


def test_a_larger_coreset_leaves_no_patch_farther_away():
    patches = torch.randn(400, 8, generator=torch.Generator().manual_seed(0))
    chosen = [coreset(patches, size, seed=0) for size in (10, 40, 160)]
    # The smaller one is the beginning of the larger one.
    assert torch.equal(chosen[2][:40], chosen[1])
    radii = [radius(patches, c) for c in chosen]
    assert radii == sorted(radii, reverse=True)


def test_the_coreset_takes_distinct_rows_and_all_of_a_small_set():
    patches = torch.randn(100, 8, generator=torch.Generator().manual_seed(0))
    assert coreset(patches, 100, seed=0) is patches
    assert len(coreset(torch.cat([patches, patches]), 60, seed=0).unique(dim=0)) == 60


def test_the_coreset_covers_better_than_chance():
    generator = torch.Generator().manual_seed(0)
    crowd, outliers = torch.randn(500, 8, generator=generator), torch.full((3, 8), 20.0)
    outliers += torch.randn(3, 8, generator=generator)
    patches = torch.cat([crowd, outliers])
    assert (coreset(patches, 20, seed=0).mean(dim=1) > 10).any()


def test_training_images_are_not_anomalous(features, images):
    detector = PatchCore(features, coreset_size=10_000).fit(images)
    scores = detector.score(extract(features, images))
    assert scores.images.max() < 1e-2
    assert scores.patches.shape == (2, 28, 28)


def test_a_stain_scores_highest_and_the_map_shows_where(features, images):
    pixels = tile(7)
    mask = stain(pixels, 0) > 0
    detector = PatchCore(features).fit(images)
    scores = detector.score(extract(features, [Image.fromarray(tile(8)), Image.fromarray(pixels)]))
    assert scores.images[1] > 1.5 * scores.images[0]
    heat = anomaly_maps(scores.patches, size_px=96)[1].numpy()
    assert mask[np.unravel_index(heat.argmax(), heat.shape)]


def test_the_same_seed_gives_the_same_scores(features, images):
    patches = extract(features, images)
    scores = [
        PatchCore(features, coreset_size=50).fit(images, seed).score(patches).images
        for seed in (1, 1, 2)
    ]
    assert torch.equal(scores[0], scores[1])
    assert not torch.equal(scores[0], scores[2])


def test_reweighting_follows_equation_7():
    detector = PatchCore(None, reweight=True)
    detector.bank = torch.tensor([[0.0], [1.0], [3.0]])
    scores = detector.score(torch.tensor([[[0.0], [5.0], [1.0], [3.0]]]))
    s = 2.0  # 5 is 2 away from m* = 3; distances to the neighbours 3, 1, 0 are 2, 4, 5
    expected = s * (1 - np.exp(s) / (np.exp(2) + np.exp(4) + np.exp(5)))
    assert float(scores.images[0]) == pytest.approx(expected, rel=1e-5)


def test_anomaly_maps_keep_a_constant_and_the_mean():
    assert torch.allclose(anomaly_maps(torch.full((1, 28, 28), 3.0)), torch.tensor(3.0))
    patches = torch.zeros(1, 28, 28)
    patches[0, 14, 14] = 1.0
    heat = anomaly_maps(patches)
    assert heat.shape == (1, 224, 224)
    assert float(heat.mean()) == pytest.approx(float(patches.mean()), rel=1e-3)
