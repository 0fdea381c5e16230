import pytest
import torch
from torch.nn import functional as F

from models.integrator.cosine import set_cosine


def test_set_cosine_is_the_cosine_of_the_mean():
    embeddings, text = F.normalize(torch.randn(5, 8), dim=1), F.normalize(torch.randn(8), dim=0)
    mean = embeddings.mean(dim=0)
    expected = float(mean @ text / mean.norm())
    # It may lie near 0, where what is rounded off is large beside it.
    assert float(set_cosine(embeddings, text)) == pytest.approx(expected, abs=1e-6)


def test_a_set_that_points_where_the_text_does_has_cosine_one():
    text = F.normalize(torch.randn(8), dim=0)
    assert float(set_cosine(text.expand(3, -1), text)) == pytest.approx(1.0)
    assert float(set_cosine(-text.expand(3, -1), text)) == pytest.approx(-1.0)
