import copy

import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

from models.features.folding import fold


@pytest.fixture
def network() -> EfficientNet:
    """An untrained network whose normalisations have seen something."""
    torch.manual_seed(0)
    network = EfficientNet.from_name("efficientnet-lite0")
    network.train()
    with torch.no_grad():
        network.extract_features(torch.rand(4, 3, 64, 64) * 2 - 1)
    return network.eval().requires_grad_(False)


@pytest.mark.parametrize("shape", [(1, 3, 64, 64), (2, 3, 96, 160)])
def test_a_folded_network_computes_what_it_did(network, shape):
    folded = copy.deepcopy(network)
    fold(folded)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    x = torch.rand(shape, generator=torch.Generator().manual_seed(1)) * 2 - 1
    given = x.clone()
    torch.testing.assert_close(
        folded.extract_features(x), network.extract_features(x), rtol=1e-3, atol=1e-4
    )
    assert torch.equal(x, given)


def test_gradients_still_reach_the_image(network):
    folded = copy.deepcopy(network)
    fold(folded)
    pulls = []
    for each in (network, folded):
        x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
        x.requires_grad_(True)
        each.extract_features(x).square().mean().backward()
        pulls.append(x.grad)
    torch.testing.assert_close(pulls[1], pulls[0], rtol=1e-2, atol=1e-6)
    assert float(pulls[0].abs().max()) > 0
