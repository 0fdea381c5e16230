import numpy as np
import pytest
import torch
from PIL import Image

from models.evaluation.detector.patchcore import (
    PatchCore,
    anomaly_maps,
    extract,
)
from tests.models.evaluation.conftest import stain, tile


@pytest.fixture(scope="module")
def images() -> list[Image.Image]:
    return [Image.fromarray(tile(seed)) for seed in range(2)]


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
