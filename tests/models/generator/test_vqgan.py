from pathlib import Path

import pytest
import torch
from diffusers import VQModel

from models.generator.vqgan import VarianceAwareVQModel, load_vqgan
from tests.models.conftest import small_vqgan


def images(count: int = 2, size: int = 32) -> torch.Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


def plain_vqmodel() -> VQModel:
    torch.manual_seed(0)
    return VQModel(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(8, 8, 16),
        latent_channels=4,
        num_vq_embeddings=32,
        norm_num_groups=4,
    ).eval()


@torch.no_grad()
def test_sigma_zero_reproduces_the_plain_vqgan(tmp_path: Path):
    plain = plain_vqmodel()
    plain.save_pretrained(tmp_path)
    ours = load_vqgan(tmp_path)
    x = images()
    torch.testing.assert_close(ours.decode_latents(ours.posterior(x).mean), plain(x).sample)
    torch.testing.assert_close(ours.posterior(x).mean, plain.encode(x).latents)


def test_gradients_reach_every_parameter_that_trains(vqgan: VarianceAwareVQModel):
    vqgan.logvar_head[-1].bias.data.fill_(0.0)
    x = images()
    posterior = vqgan.posterior(x)
    z = posterior.mean + posterior.std * torch.randn(posterior.mean.shape)
    _, commitment, _ = vqgan.quantize(z)
    ((vqgan.decode_latents(z) - x).abs().mean() + commitment).backward()
    without = [name for name, p in vqgan.named_parameters() if p.grad is None]
    assert without == []
    assert float(vqgan.logvar_head[-1].bias.grad.abs().sum()) > 0


def test_beta_weighs_the_commitment_and_not_the_codebook(vqgan: VarianceAwareVQModel):
    z = torch.randn(1, 4, 8, 8, requires_grad=True)
    _, loss, _ = vqgan.quantize(z)
    loss.backward()
    z_q = vqgan.quantise(z.detach())
    expected = vqgan.quantize.beta * 2 * (z.detach() - z_q) / z.numel()
    torch.testing.assert_close(z.grad, expected)


@torch.no_grad()
def test_codes_name_the_nearest_codebook_entries(vqgan: VarianceAwareVQModel):
    z = torch.randn(2, 4, 8, 8)
    looked_up = vqgan.quantize.embedding(vqgan.codes(z)).permute(0, 3, 1, 2)
    torch.testing.assert_close(vqgan.quantise(z), looked_up)


@torch.no_grad()
def test_saves_and_loads_itself(tmp_path: Path, vqgan: VarianceAwareVQModel):
    vqgan.logvar_head[-1].bias.data.fill_(-3.0)
    vqgan.save_pretrained(tmp_path)
    loaded = load_vqgan(tmp_path)
    x = images()
    (before, _), (after, _) = vqgan.posterior(x), loaded.posterior(x)
    assert loaded.downsampling_factor == vqgan.downsampling_factor == 4
    torch.testing.assert_close(loaded.posterior(x).logvar, vqgan.posterior(x).logvar)
    torch.testing.assert_close(loaded.decode_latents(after), vqgan.decode_latents(before))


@torch.no_grad()
def test_loads_a_subfolder(tmp_path: Path):
    small_vqgan().save_pretrained(tmp_path / "vqvae")
    assert load_vqgan(tmp_path / "vqvae").downsampling_factor == 4
    assert load_vqgan(f"{tmp_path}:vqvae").downsampling_factor == 4


def test_a_size_that_does_not_fit_is_named(vqgan: VarianceAwareVQModel):
    with pytest.raises(ValueError, match="multiple of 4"):
        vqgan.posterior(torch.zeros(1, 3, 32, 30))


def test_a_missing_or_damaged_model_is_one_clear_error(tmp_path: Path):
    with pytest.raises(RuntimeError, match="nowhere"):
        load_vqgan(tmp_path / "nowhere")
    small_vqgan().save_pretrained(tmp_path)
    (tmp_path / "diffusion_pytorch_model.safetensors").write_bytes(b"not weights")
    with pytest.raises(RuntimeError, match="no VQ model can be loaded"):
        load_vqgan(tmp_path)


@torch.no_grad()
def test_codes_are_the_same_a_few_cells_at_a_time(vqgan: VarianceAwareVQModel, monkeypatch):
    z = torch.randn(1, 4, 16, 16)
    whole = vqgan.codes(z)
    monkeypatch.setattr("models.features.nearest.MAX_PAIRS", 200)
    assert torch.equal(vqgan.codes(z), whole)


@torch.no_grad()
def test_a_reduced_decoder_draws_the_same_within_what_bfloat16_can_hold(
    vqgan: VarianceAwareVQModel,
):
    z = torch.randn(1, 4, 16, 16)
    full = vqgan.decode_latents(z)
    vqgan.is_reduced = True
    reduced = vqgan.decode_latents(z)
    assert reduced.dtype == torch.float32
    assert float((reduced - full).square().mean().sqrt()) < 0.1 * float(full.std())
