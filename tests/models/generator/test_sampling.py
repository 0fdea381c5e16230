import pytest
import torch

from models.features.patches import PatchFeatures
from models.generator.sampling import SamplingSettings, VarianceAwareGenerator, noise
from models.generator.vqgan import EMBEDDED_VQGAN, VarianceAwareVQModel, load_vqgan
from tests.models.conftest import part_image


@pytest.fixture
def generator(vqgan: VarianceAwareVQModel, features: PatchFeatures) -> VarianceAwareGenerator:
    return VarianceAwareGenerator(vqgan, features)


def views(count: int = 3) -> torch.Tensor:
    return torch.stack([part_image(angle_deg=20 * i, size=64, seed=i) for i in range(count)])


@torch.no_grad()
def test_sigma_zero_returns_the_view_or_its_plain_reconstruction(generator):
    x = views()
    seeds = [1, 2, 3]
    residual = generator.sample(x, seeds, SamplingSettings(scale=0.0))
    torch.testing.assert_close(residual, x)
    decoded = generator.sample(x, seeds, SamplingSettings(scale=0.0, output="decode"))
    plain = (generator.model.sample_images(2 * x - 1, scale=0.0) + 1) / 2
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


@pytest.mark.parametrize("smooth", [True, False])
def test_noise_is_standard_normal(smooth: bool):
    eps = torch.stack([noise(torch.Size((4, 48, 48)), seed, smooth=smooth) for seed in range(40)])
    assert abs(float(eps.mean())) < 0.05
    assert float(eps.var()) == pytest.approx(1.0, rel=0.06)


def test_smooth_noise_moves_neighbours_together():
    def neighbour_correlation(*, smooth: bool) -> float:
        eps = noise(torch.Size((8, 64, 64)), 0, smooth=smooth)
        return float((eps[..., 1:] * eps[..., :-1]).mean())

    assert neighbour_correlation(smooth=True) > 0.3
    assert abs(neighbour_correlation(smooth=False)) < 0.05


def test_adaptation_brings_the_reconstruction_nearer_and_leaves_the_base_alone(generator, vqgan):
    before = [p.clone() for p in vqgan.parameters()]
    x = views()
    psnr_db = generator.reconstruction_psnr_db(x)
    losses = list(generator.adapt(x, 40, seed=0))
    assert len(losses) == 40
    assert generator.reconstruction_psnr_db(x) > psnr_db + 1.0
    for parameter, old in zip(vqgan.parameters(), before, strict=True):
        assert torch.equal(parameter, old)


def test_adaptation_is_reproducible(vqgan, features):
    runs = [VarianceAwareGenerator(vqgan, features) for _ in range(2)]
    for run in runs:
        list(run.adapt(views(), 5, seed=3))
    for first, second in zip(*(run.decoder_state() for run in runs), strict=True):
        assert torch.equal(first, second)


def test_sigma_grows_where_the_inputs_differ_and_not_where_they_agree(features):
    generator = VarianceAwareGenerator(load_vqgan(EMBEDDED_VQGAN), features)
    shared = part_image(angle_deg=30, size=128)
    pair = torch.stack([shared, shared]).clone()
    grain = torch.rand(2, 1, 128, 48, generator=torch.Generator().manual_seed(0))
    pair[:, :, :, 80:] = 0.3 + 0.4 * grain  # the right side is another grain in each image
    pair[:, :, :, :32] = 0.2
    generator.learn_variance(pair, same_distance=20.0)
    sigma = generator.sigma_map(pair)
    assert float(sigma[:, 8:-8, 92:].mean()) > 2 * float(sigma[:, 8:-8, 4:24].mean())


def test_decoder_state_round_trip(generator):
    state = generator.decoder_state()
    list(generator.adapt(views(), 3, seed=0))
    generator.load_decoder_state(state)
    for now, then in zip(generator.decoder_state(), state, strict=True):
        assert torch.equal(now, then)
