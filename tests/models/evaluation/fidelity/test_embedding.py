import torch
from PIL import Image

from models.evaluation.fidelity.embedding import embed, pooled
from tests.models.evaluation.conftest import tile


def test_the_point_is_the_mean_and_the_deviation_wherever_patches_lie():
    patches = torch.randn(3, 50, 4, generator=torch.Generator().manual_seed(0))
    points = pooled(patches)
    assert points.shape == (3, 8)
    torch.testing.assert_close(pooled(patches.flip(1)), points)
    torch.testing.assert_close(
        pooled(2 * patches + 1), 2 * points + torch.tensor([1.0, 0]).repeat_interleave(4)
    )


def test_images_are_embedded_one_by_one(features):
    images = [Image.fromarray(tile(seed)) for seed in range(10)]  # more than a batch
    together = embed(features, images)
    alone = torch.cat([embed(features, [image]) for image in images])
    torch.testing.assert_close(together, alone, atol=1e-3, rtol=1e-3)
