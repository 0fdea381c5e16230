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


SEEDS = [100, 101, 102]


def view(number: int) -> torch.Tensor:
    return part_image(angle_deg=15 * number, size=64, seed=number)


def rounds_of(generator, encoder, on_step=lambda: None, view=view, **settings) -> Integration:
    return integrate(
        generator,
        encoder,
        encoder.embed_text(["a hazelnut"])[0],
        view,
        SEEDS,
        settings=SETTINGS,
        on_step=on_step,
        **settings,
    )


def test_without_updates_no_round_is_luckier_than_another(vqgan, encoder):
    steps: list[None] = []
    generator = VarianceAwareGenerator(vqgan)
    found = rounds_of(generator, encoder, lambda: steps.append(None), num_rounds=4, num_updates=0)
    assert len(steps) == 4 * len(SEEDS)
    assert len({each.cosine for each in found.rounds}) == 1
    assert found.kept == 0


def test_the_generator_ends_with_the_best_rounds_decoder(vqgan, encoder):
    generator = VarianceAwareGenerator(vqgan)
    states = []

    def look(number: int) -> torch.Tensor:
        if number == len(SEEDS) - 1:
            states.append(generator.decoder_state())
        return view(number)

    found = rounds_of(generator, encoder, view=look, num_rounds=3, num_updates=2)
    cosines = [each.cosine for each in found.rounds]
    assert found.kept == cosines.index(max(cosines))
    # Once before the first round, for the updates, and once in each.
    seen = states[1:]
    assert len(seen) == 3
    assert not torch.equal(seen[0][0], seen[1][0])
    for kept, now in zip(seen[found.kept], generator.decoder_state(), strict=True):
        assert torch.equal(kept, now)


def test_a_round_that_was_better_is_kept_wherever_it_stands(vqgan, encoder, monkeypatch):
    """Updates that lead away: each adds noise to the decoder in place of what it learns."""
    generator = VarianceAwareGenerator(vqgan)

    def spoil(generator: VarianceAwareGenerator, *_: object, **__: object) -> None:
        noise = torch.Generator().manual_seed(len(spoilt))
        spoilt.append(1)
        state = [t + 0.3 * torch.randn(t.shape, generator=noise) for t in generator.decoder_state()]
        generator.load_decoder_state(state)

    spoilt: list[int] = []
    monkeypatch.setattr("models.integrator.rounds.update", spoil)
    found = rounds_of(generator, encoder, num_rounds=5, num_updates=1)
    cosines = [each.cosine for each in found.rounds]
    assert len(set(cosines)) == 5
    assert found.kept == cosines.index(max(cosines))
