import pytest
import torch
from skimage import data

from models.encoder.protocol import TextImageEncoder, load_encoder
from models.generator.colour import colour_filter
from models.generator.sampling import SamplingSettings, VarianceAwareGenerator
from models.generator.vqgan import EMBEDDED_VQGAN, VarianceAwareVQModel, load_vqgan
from models.integrator.cosine import set_cosine
from models.integrator.update import update
from tests.models.integrator.test_rounds import SEEDS, view

SETTINGS = SamplingSettings(output="decode")


@pytest.fixture(scope="module")
def encoder():
    return load_encoder("embedded")


def updated(
    generator: VarianceAwareGenerator, encoder: TextImageEncoder, views: torch.Tensor, steps: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The set (J, 3, H, W) in [0, 1] before the update towards "a hazelnut" and after it."""

    def made() -> torch.Tensor:
        with torch.no_grad():
            return generator.sample(views, SEEDS, SETTINGS)

    before = made()
    update(
        generator,
        encoder,
        encoder.embed_text(["a hazelnut"])[0],
        views,
        SEEDS,
        anchor=before,
        settings=SETTINGS,
        steps=steps,
        on_step=lambda: None,
    )
    return before, made()


def test_an_update_moves_the_set_towards_the_prompt(
    vqgan: VarianceAwareVQModel, encoder: TextImageEncoder
):
    views = torch.stack([view(j) for j in range(len(SEEDS))])
    before, after = updated(VarianceAwareGenerator(vqgan), encoder, views, 6)
    text = encoder.embed_text(["a hazelnut"])[0]
    with torch.no_grad():
        cosines = [float(set_cosine(encoder.embed_image(each), text)) for each in (before, after)]
    assert cosines[1] > cosines[0]


def test_an_update_puts_no_colour_on_what_is_grey(encoder: TextImageEncoder):
    coins = torch.from_numpy(data.coins()).float() / 255
    views = torch.stack([coins[top : top + 96, :96].expand(3, -1, -1) for top in (0, 40, 80)])

    def tint(colours: torch.Tensor) -> float:
        generator = VarianceAwareGenerator(load_vqgan(EMBEDDED_VQGAN))
        generator.colour_filter = colours
        before, after = updated(generator, encoder, views, 6)
        change = after - before
        return float((change - change.mean(dim=1, keepdim=True)).abs().mean())

    assert tint(colour_filter(views)) < 0.5 * tint(torch.eye(3))
