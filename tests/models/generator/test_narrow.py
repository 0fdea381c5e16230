"""The generator works at every size that a job may have, with cells of any size."""

import pytest
import torch

import models.generator.variance
from models.generator.adaptation import adapt
from models.generator.sampling import SamplingSettings, VarianceAwareGenerator

# (height, width) in px: the least, narrow ones up to 32:1, and what is no multiple of 32.
SIZES = [(32, 32), (32, 48), (64, 32), (272, 48), (32, 640), (640, 32), (1024, 32), (80, 80)]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_every_size_is_learnt_adapted_to_and_varied(folder_model, features, monkeypatch, size):
    monkeypatch.setattr(models.generator.variance, "HEAD_STEPS", 2)
    images = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    generator = VarianceAwareGenerator(folder_model)
    generator.learn(images, features, same_distance=20.0)
    assert list(adapt(generator.model, images, 1, seed=0))
    sigma = generator.sigma_map(images)
    assert sigma.shape == (2, *size)
    assert bool((sigma > 0).all())
    for output in ("residual", "decode"):
        with torch.no_grad():
            varied = generator.sample(images, [1, 2], SamplingSettings(output=output))
        assert varied.shape == images.shape
        assert bool(varied.isfinite().all())
