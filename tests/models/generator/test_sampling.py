import pytest
import torch

from models.generator.adaptation import adapt
from models.generator.frame import without_frame
from models.generator.latents import LatentDistribution
from models.generator.noise import noise
from models.generator.sampling import SamplingSettings, VarianceAwareGenerator
from models.generator.vqgan import EMBEDDED_VQGAN, VarianceAwareVQModel, load_vqgan
from tests.models.conftest import part_image


@pytest.fixture
def generator(vqgan: VarianceAwareVQModel) -> VarianceAwareGenerator:
    return VarianceAwareGenerator(vqgan)


def views(count: int = 3) -> torch.Tensor:
    return torch.stack([part_image(angle_deg=20 * i, size=64, seed=i) for i in range(count)])


@torch.no_grad()
def test_sigma_zero_returns_the_view_or_its_plain_reconstruction(generator):
    x = views()
    seeds = [1, 2, 3]
    residual = generator.sample(x, seeds, SamplingSettings(scale=0.0))
    torch.testing.assert_close(residual, x)
    decoded = generator.sample(x, seeds, SamplingSettings(scale=0.0, output="decode"))
    plain = (generator.model.decode_latents(generator.model.posterior(2 * x - 1).mean) + 1) / 2
    torch.testing.assert_close(decoded, plain.clamp(0, 1))


@torch.no_grad()
def test_same_seeds_same_bytes_and_other_seeds_others(generator):
    settings = SamplingSettings(unit_sigma=True)
    x = views()
    first, again = (generator.sample(x, [5, 6, 7], settings) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, generator.sample(x, [8, 9, 10], settings))


@torch.no_grad()
def test_an_image_depends_on_its_own_seed_alone(generator):
    settings = SamplingSettings(unit_sigma=True)
    x = views()
    alone = generator.sample(x[1:2], [6], settings)
    torch.testing.assert_close(generator.sample(x, [5, 6, 7], settings)[1:2], alone)


def test_latents_have_the_predicted_mean_and_variance(generator):
    mean, logvar = torch.full((1, 4, 200, 200), 2.0), torch.full((1, 4, 200, 200), -2.0)
    posterior = LatentDistribution(mean, logvar)
    z = generator.draw_latents(posterior, [0], SamplingSettings(scale=1.0, smooth=False))
    assert float(z.mean()) == pytest.approx(2.0, abs=0.02)
    assert float(z.var()) == pytest.approx(float(torch.tensor(-2.0).exp()), rel=0.03)


def test_latents_are_mu_and_so_many_times_sigma_times_eps(generator):
    mean, logvar = torch.randn(2, 4, 16, 16), torch.randn(2, 4, 16, 16)
    posterior = LatentDistribution(mean, logvar)
    reach = generator.model.padding_reach_cells
    for scale, unit_sigma in ((1.0, False), (2.0, False), (1.0, True)):
        settings = SamplingSettings(scale=scale, unit_sigma=unit_sigma)
        z = generator.draw_latents(posterior, [7, 8], settings)
        eps = torch.stack([noise(torch.Size((4, 16, 16)), seed) for seed in (7, 8)])
        sigma = torch.ones_like(mean) if unit_sigma else (0.5 * logvar).exp()
        expected = mean + scale * sigma * eps
        torch.testing.assert_close(without_frame(z, reach), without_frame(expected, reach))


def test_sigma_grows_where_the_inputs_differ_and_not_where_they_agree(features):
    generator = VarianceAwareGenerator(load_vqgan(EMBEDDED_VQGAN))
    shared = part_image(angle_deg=30, size=128)
    pair = torch.stack([shared, shared]).clone()
    grain = torch.rand(2, 1, 128, 48, generator=torch.Generator().manual_seed(0))
    pair[:, :, :, 80:] = 0.3 + 0.4 * grain  # the right side is another grain in each image
    pair[:, :, :, :32] = 0.2
    generator.learn(pair, features, same_distance=20.0)
    sigma = generator.sigma_map(pair)
    assert float(sigma[:, 8:-8, 92:].mean()) > 2 * float(sigma[:, 8:-8, 4:24].mean())


def test_decoder_state_round_trip(generator):
    state = generator.decoder_state()
    list(adapt(generator.model, views(), 3, seed=0))
    assert not torch.equal(state[0], generator.decoder_state()[0])
    generator.load_decoder_state(state)
    for now, then in zip(generator.decoder_state(), state, strict=True):
        assert torch.equal(now, then)


def test_what_the_generator_learns_leaves_the_base_alone(vqgan):
    before = [p.clone() for p in vqgan.parameters()]
    list(adapt(VarianceAwareGenerator(vqgan).model, views(), 2, seed=0))
    for parameter, old in zip(vqgan.parameters(), before, strict=True):
        assert torch.equal(parameter, old)
