import pytest
import torch

from models.encoder.protocol import load_encoder
from models.generator.sampling import SamplingSettings, VarianceAwareGenerator
from models.integrator.rounds import integrate
from tests.models.conftest import part_image

SETTINGS = SamplingSettings(output="decode")


@pytest.fixture(scope="module")
def encoder():
    return load_encoder("embedded")


def draw_set(number: int) -> tuple[torch.Tensor, list[int]]:
    angles = [40 * number + 15 * j for j in range(3)]
    views = torch.stack([part_image(angle_deg=a, size=64, seed=a) for a in angles])
    return views, [100 * number + j for j in range(3)]


def test_the_kept_round_is_the_one_with_the_best_cosine(vqgan, encoder):
    text = encoder.embed_text(["a hazelnut"])[0]
    steps: list[None] = []
    result = integrate(
        VarianceAwareGenerator(vqgan),
        encoder,
        text,
        draw_set,
        num_rounds=4,
        num_updates=0,
        settings=SETTINGS,
        on_step=lambda: steps.append(None),
    )
    cosines = [r.cosine for r in result.rounds]
    assert result.kept == cosines.index(max(cosines))
    assert len(steps) == 4 * 3


def test_the_generator_ends_with_the_kept_rounds_decoder(vqgan, encoder):
    generator = VarianceAwareGenerator(vqgan)
    text = encoder.embed_text(["a hazelnut"])[0]
    states = []

    def draw_and_look(number: int) -> tuple[torch.Tensor, list[int]]:
        states.append(generator.decoder_state())
        return draw_set(number)

    result = integrate(
        generator,
        encoder,
        text,
        draw_and_look,
        num_rounds=3,
        num_updates=2,
        settings=SETTINGS,
        on_step=lambda: None,
    )
    for kept, now in zip(states[result.kept], generator.decoder_state(), strict=True):
        assert torch.equal(kept, now)
    assert not torch.equal(states[0][0], states[1][0])
