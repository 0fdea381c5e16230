import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from models.training.vqgan.batches import as_input, first_crops
from models.training.vqgan.linear_start import start_linear
from models.training.vqgan.pack import Pack
from models.training.vqgan.recipe import Recipe

SHAPE = Recipe(channels=(32,), codes=32, latent_channels=6)


@pytest.fixture(scope="module")
def crops(pack: Pack) -> Tensor:
    return as_input(first_crops(pack.squares, 4, seed=0))


def psnr_db(first: Tensor, second: Tensor) -> float:
    return -10 * math.log10(float((first - second).square().mean()) / 4)


def test_it_begins_as_the_projection_on_the_principal_components(crops: Tensor):
    model = SHAPE.new_model().eval()
    start_linear(model, crops)
    cells = F.unfold(crops, 4, stride=4).transpose(1, 2)  # (B, N, 48)
    mean = cells.mean(dim=(0, 1))
    _, _, components = torch.linalg.svd((cells - mean).flatten(0, 1), full_matrices=False)
    kept = components[:6]
    projected = F.fold(
        ((cells - mean) @ kept.T @ kept + mean).transpose(1, 2), crops.shape[2:], 4, stride=4
    )
    with torch.no_grad():
        decoded = model.decode_latents(model.posterior(crops).mean, quantise=False)
    # Each image's own deviation changes its scale a little.
    assert psnr_db(decoded, projected) > psnr_db(projected, crops) + 5
    assert psnr_db(decoded, crops) > psnr_db(projected, crops) - 1


def test_all_of_it_can_learn(crops: Tensor):
    model = SHAPE.new_model().train()
    start_linear(model, crops)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    before = {name: value.clone() for name, value in model.named_parameters()}
    for _ in range(3):
        optimizer.zero_grad()
        decoded = model.decode_latents(model.posterior(crops).mean, quantise=False)
        (decoded - crops).abs().mean().backward()
        optimizer.step()
    still = {name for name, value in model.named_parameters() if torch.equal(value, before[name])}
    assert {name for name in still if not name.startswith(("logvar_head", "quantize"))} == set()


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (Recipe(channels=(8, 16), codes=32), "one resolution"),
        (Recipe(channels=(16,), codes=32), "cannot carry 8 latents"),
        (Recipe(channels=(32,), codes=32, latent_channels=9), "cannot carry 9 latents"),
    ],
)
def test_what_cannot_begin_so_is_refused(crops: Tensor, recipe: Recipe, words: str):
    with pytest.raises(ValueError, match=words):
        start_linear(recipe.new_model(), crops)
