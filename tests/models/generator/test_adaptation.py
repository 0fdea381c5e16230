import torch

from models.generator.adaptation import adapt, reconstruction_psnr_db
from models.generator.vqgan import VarianceAwareVQModel
from tests.models.conftest import part_image, small_vqgan


def views(count: int = 3) -> torch.Tensor:
    return torch.stack([part_image(angle_deg=20 * i, size=64, seed=i) for i in range(count)])


def adapted(steps: int) -> VarianceAwareVQModel:
    model = small_vqgan()
    assert len(list(adapt(model, views(), steps, seed=3))) == steps
    return model


def test_adaptation_brings_the_reconstruction_nearer(vqgan):
    before_db = reconstruction_psnr_db(vqgan, views())
    distances = list(adapt(vqgan, views(), 40, seed=0))
    assert distances[-1] < distances[0]
    assert reconstruction_psnr_db(vqgan, views()) > before_db + 1.0


def test_only_the_decoder_changes():
    base, model = small_vqgan(), adapted(5)
    trained = {id(parameter) for parameter in model.decoder_parameters()}
    for old, new in zip(base.parameters(), model.parameters(), strict=True):
        assert torch.equal(old, new) == (id(new) not in trained)


def test_adaptation_is_reproducible():
    for first, second in zip(adapted(5).parameters(), adapted(5).parameters(), strict=True):
        assert torch.equal(first, second)


def test_no_steps_change_nothing():
    for old, new in zip(small_vqgan().parameters(), adapted(0).parameters(), strict=True):
        assert torch.equal(old, new)
