import copy
from dataclasses import replace

import pytest
import torch

from models.features.patches import PatchFeatures
from models.training.vqgan.batches import batches
from models.training.vqgan.pack import Pack
from models.training.vqgan.recipe import Recipe
from models.training.vqgan.steps import Training
from tests.models.accelerator import DEVICE, Accelerator
from tests.models.training.vqgan.conftest import SMALL

CPU = torch.device("cpu")
ADVERSARIAL = replace(SMALL, feature_weight=0.0, adversarial_weight=0.8, adversarial_start=1)


def trained(recipe: Recipe, pack: Pack, features: PatchFeatures, steps: int) -> Training:
    training = Training(recipe, features, CPU)
    crops = batches(pack.squares, CPU, seed=recipe.seed, batch_size=recipe.batch_size)
    for _ in range(steps):
        training.step(next(crops))
    return training


def test_a_step_reaches_all_that_learns_and_nothing_else(pack: Pack, features: PatchFeatures):
    training = trained(SMALL, pack, features, 2)
    before = {name: value.clone() for name, value in training.model.state_dict().items()}
    training.step(next(batches(pack.squares, CPU, seed=1, batch_size=2)))
    for name, value in training.model.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith("logvar_head"), name


def test_training_lowers_the_loss(pack: Pack, features: PatchFeatures):
    training = Training(replace(SMALL, feature_weight=0.0, lr=3e-3), features, CPU)
    batch = next(batches(pack.squares, CPU, seed=0, batch_size=2))
    losses = [float(training.step(batch).loss) for _ in range(30)]
    assert losses[-1] < 0.7 * losses[0]


def test_the_discriminators_gradient_reaches_the_decoder(pack: Pack, features: PatchFeatures):
    training = trained(ADVERSARIAL, pack, features, 1)
    assert training.adversary is not None
    decoded = training.model.decode_latents(torch.randn(1, 4, 8, 8), quantise=False)
    added, factor = training.adversary.loss(decoded.square().mean(), decoded)
    assert float(factor) > 0
    added.backward()
    for name, parameter in training.model.decoder.named_parameters():
        # A bias before a normalisation of its own group may have none.
        assert parameter.grad is not None, name
    assert any(float(p.grad.abs().max()) > 0 for p in training.model.decoder.parameters())


def test_the_discriminator_learns_from_its_start_on_and_not_before(
    pack: Pack, features: PatchFeatures
):
    training = Training(ADVERSARIAL, features, CPU)
    assert training.adversary is not None
    batch = next(batches(pack.squares, CPU, seed=0, batch_size=2))
    learned = training.adversary.discriminator[0].weight
    before = learned.detach().clone()
    assert float(training.step(batch).adversarial_factor) == 0.0
    assert torch.equal(learned, before)
    assert float(training.step(batch).adversarial_factor) > 0.0
    assert not torch.equal(learned, before)


def test_what_the_decoder_learns_leaves_nothing_in_the_discriminators_gradient(
    pack: Pack, features: PatchFeatures
):
    training = trained(ADVERSARIAL, pack, features, 1)
    assert training.adversary is not None
    adversary = training.adversary
    adversary.step(torch.rand(2, 3, 128, 128), torch.rand(2, 3, 128, 128))
    wanted = adversary.discriminator[0].weight.grad
    assert wanted is not None
    start = adversary.state()
    alone = Training(ADVERSARIAL, features, CPU).adversary
    assert alone is not None
    alone.load_state(start)
    images = torch.rand(2, 3, 128, 128), torch.rand(2, 3, 128, 128)
    decoded = training.model.decode_latents(torch.randn(2, 4, 32, 32), quantise=False)
    added, _ = adversary.loss(decoded.square().mean(), decoded)
    added.backward()
    adversary.discriminator.load_state_dict(alone.discriminator.state_dict())
    for each in (adversary, alone):
        each.step(*images)
    gradients = [each.discriminator[0].weight.grad for each in (adversary, alone)]
    assert torch.equal(*gradients)


@pytest.mark.parametrize("recipe", [SMALL, ADVERSARIAL], ids=["plain", "adversarial"])
def test_a_state_holds_all_that_the_next_step_depends_on(
    recipe: Recipe, pack: Pack, features: PatchFeatures, tmp_path
):
    whole = trained(recipe, pack, features, 2)
    torch.save(whole.state(), tmp_path / "state")
    resumed = Training(recipe, features, CPU)
    resumed.load_state(torch.load(tmp_path / "state", weights_only=True))
    for batch in (next(batches(pack.squares, CPU, seed=n, batch_size=2)) for n in (7, 8)):
        losses = [training.step(batch).loss for training in (whole, resumed)]
        assert torch.equal(*losses)
    for one, other in (
        (whole.model, resumed.model),
        (whole.average.model, resumed.average.model),
    ):
        for name, value in one.state_dict().items():
            assert torch.equal(value, other.state_dict()[name]), name


def test_a_step_runs_on_another_device(pack: Pack, features: PatchFeatures):
    recipe = replace(ADVERSARIAL, feature_weight=0.05)
    with Accelerator() as accelerator:
        training = Training(recipe, copy.deepcopy(features), DEVICE)
        crops = next(batches(pack.squares, DEVICE, seed=0, batch_size=2))
        waits = accelerator.num_waits
        losses = [training.step(crops) for _ in range(3)]
        assert accelerator.num_waits == waits
        found = [float(each.loss) for each in losses]
        resumed = training.state()
        assert all(torch.isfinite(value).all() for value in resumed["model"].values())
    here = Training(recipe, features, CPU)
    crops = next(batches(pack.squares, CPU, seed=0, batch_size=2))
    wanted = [float(here.step(crops).loss) for _ in range(3)]
    # A processor may compute in bfloat16.
    assert found == pytest.approx(wanted, rel=0.05)
