"""VQ models as people have them: folders that diffusers wrote, of cells of 4, 8 and 16 px."""

import pytest
import torch
from diffusers import VQModel

from models.generator.vqgan import VarianceAwareVQModel, load_vqgan


def plain_vqmodel(num_levels: int) -> VQModel:
    """Untrained, of cells of 2^(num_levels - 1) px."""
    torch.manual_seed(0)
    return VQModel(
        down_block_types=("DownEncoderBlock2D",) * num_levels,
        up_block_types=("UpDecoderBlock2D",) * num_levels,
        block_out_channels=(8,) * num_levels,
        latent_channels=4,
        num_vq_embeddings=32,
        norm_num_groups=4,
    )


@pytest.fixture(scope="session", params=[3, 4, 5], ids=["f4", "f8", "f16"])
def folder_model(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> VarianceAwareVQModel:
    """A VQ model from a folder."""
    folder = tmp_path_factory.mktemp("vqgan")
    plain_vqmodel(request.param).save_pretrained(folder)
    return load_vqgan(folder)
