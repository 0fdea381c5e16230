import pytest
import torch
from torch.nn import functional as F

from models.encoder.protocol import load_encoder
from models.generator.sampling import SamplingSettings, VarianceAwareGenerator
from models.integrator.rounds import integrate, set_cosine, update
from tests.models.conftest import part_image

SETTINGS = SamplingSettings(output="decode")


@pytest.fixture(scope="module")
def encoder():
    return load_encoder("embedded")


def test_set_cosine_is_the_cosine_of_the_mean():
    embeddings, text = F.normalize(torch.randn(5, 8), dim=1), F.normalize(torch.randn(8), dim=0)
    mean = embeddings.mean(dim=0)
    assert float(set_cosine(embeddings, text)) == pytest.approx(float(mean @ text / mean.norm()))


def draw_set(number: int) -> tuple[torch.Tensor, list[int]]:
    angles = [40 * number + 15 * j for j in range(3)]
    views = torch.stack([part_image(angle_deg=a, size=64, seed=a) for a in angles])
    return views, [100 * number + j for j in range(3)]


def test_the_kept_round_is_the_one_with_the_best_cosine(vqgan, features, encoder):
    text = encoder.embed_text(["a hazelnut"])[0]
    steps: list[None] = []
    result = integrate(
        VarianceAwareGenerator(vqgan, features),
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


def test_the_generator_ends_with_the_kept_rounds_decoder(vqgan, features, encoder):
    generator = VarianceAwareGenerator(vqgan, features)
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


def test_an_update_moves_the_set_towards_the_prompt(vqgan, features, encoder):
    generator = VarianceAwareGenerator(vqgan, features)
    text = encoder.embed_text(["a hazelnut"])[0]
    views, seeds = draw_set(0)

    def cosine() -> float:
        with torch.no_grad():
            images = generator.sample(views, seeds, SETTINGS)
            return float(set_cosine(encoder.embed_image(images), text))

    with torch.no_grad():
        anchor = generator.sample(views, seeds, SETTINGS)
    before = cosine()
    update(
        generator,
        encoder,
        text,
        views,
        seeds,
        anchor=anchor,
        settings=SETTINGS,
        steps=6,
        on_step=lambda: None,
    )
    assert cosine() > before
