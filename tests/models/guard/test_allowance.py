import pytest
import torch

from models.guard.allowance import ALLOWED_SHARE, Allowance
from tests.models.conftest import texture_image

IMAGES = torch.stack([texture_image(seed=n) for n in range(2)])
NOISE = torch.randn(IMAGES.shape, generator=torch.Generator().manual_seed(0))


def allowance(features, strength: float) -> Allowance:
    views = torch.cat([(IMAGES + strength * s * NOISE).clamp(0, 1) for s in (1, 2, 3)])
    return Allowance.fit(features, views, IMAGES, sources=[0, 1] * 3)


def test_the_more_the_views_differ_the_more_is_allowed(features):
    assert 0 < allowance(features, 0.01).distance < allowance(features, 0.03).distance


def test_a_change_as_large_as_a_views_is_cut_to_its_share_and_a_small_one_stays(features):
    known = allowance(features, 0.02)
    changes = [s * 0.02 * NOISE for s in (0.0, 0.05, 2.0, 6.0)]
    shares = [float(known.share(IMAGES[:1], (IMAGES + each)[:1].clamp(0, 1))) for each in changes]
    assert shares[:2] == [1.0, 1.0]
    # The median view is the one with twice the noise.
    assert shares[2] == pytest.approx(ALLOWED_SHARE, rel=0.25)
    assert shares[3] < shares[2]


def test_each_image_of_a_batch_has_its_own_share(features):
    known = allowance(features, 0.02)
    varied = (IMAGES + torch.tensor([0.02, 0.1])[:, None, None, None] * NOISE).clamp(0, 1)
    together = known.share(IMAGES, varied)
    alone = torch.cat([known.share(IMAGES[n : n + 1], varied[n : n + 1]) for n in range(2)])
    assert torch.allclose(together, alone, rtol=1e-3)
