import pytest
import torch

from models.encoder.protocol import load_encoder
from models.generator.sampling import SamplingSettings, VarianceAwareGenerator
from models.integrator.cosine import set_cosine
from models.integrator.update import update
from tests.models.integrator.test_rounds import SEEDS, view

SETTINGS = SamplingSettings(output="decode")


@pytest.fixture(scope="module")
def encoder():
    return load_encoder("embedded")


def test_an_update_moves_the_set_towards_the_prompt(vqgan, encoder):
    generator = VarianceAwareGenerator(vqgan)
    text = encoder.embed_text(["a hazelnut"])[0]
    views, seeds = torch.stack([view(j) for j in range(len(SEEDS))]), SEEDS

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
