import pytest
import torch

from models.encoder.protocol import load_encoder
from models.generator.sampling import SamplingSettings, VarianceAwareGenerator
from models.integrator.rounds import Integration, integrate
from tests.models.conftest import part_image

SETTINGS = SamplingSettings(output="decode")


@pytest.fixture(scope="module")
def encoder():
    return load_encoder("embedded")


def draw_set(number: int) -> tuple[torch.Tensor, list[int]]:
    angles = [40 * number + 15 * j for j in range(3)]
    views = torch.stack([part_image(angle_deg=a, size=64, seed=a) for a in angles])
    return views, [100 * number + j for j in range(3)]


def rounds_of(vqgan, encoder, draw, on_step=lambda: None) -> Integration:
    """Four rounds without an update: only what is drawn tells one from another."""
    return integrate(
        VarianceAwareGenerator(vqgan),
        encoder,
        encoder.embed_text(["a hazelnut"])[0],
        draw,
        num_rounds=4,
        num_updates=0,
        settings=SETTINGS,
        on_step=on_step,
    )


def test_the_round_with_the_best_cosine_is_kept_wherever_it_stands(vqgan, encoder):
    steps: list[None] = []
    first = rounds_of(vqgan, encoder, draw_set, lambda: steps.append(None))
    assert len(steps) == 4 * 3
    cosines = [r.cosine for r in first.rounds]
    best = cosines.index(max(cosines))
    assert first.kept == best
    for position in range(4):
        moved = rounds_of(vqgan, encoder, lambda n, p=position: draw_set((n - p + best) % 4))
        assert moved.kept == position


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
