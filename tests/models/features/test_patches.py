import torch

from models.features.patches import PATCH_BLOCKS, PatchFeatures


@torch.no_grad()
def test_one_pass_gives_what_two_give(features: PatchFeatures):
    x = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    patches, pooled = features.patches_and_pooled(x)
    torch.testing.assert_close(patches, features.patches(x))
    torch.testing.assert_close(pooled, features.pooled(x))


@torch.no_grad()
def test_the_pooled_feature_is_the_networks_own(features: PatchFeatures):
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    own = features.network.extract_features((x * 255.0 - 127.0) / 128.0).mean(dim=(2, 3))
    torch.testing.assert_close(features.pooled(x), own)
    assert [block.shape[2] for block in features.blocks(x, PATCH_BLOCKS)] == [8, 4]
