"""When the device's memory runs out, batches get smaller and the result stays the same."""

import math
from collections.abc import Callable
from types import MethodType

import pytest
import torch
from torch import Tensor

from models.encoder.protocol import load_encoder
from models.features.patches import PatchFeatures
from models.generator.adaptation import adapt
from models.generator.sampling import SamplingSettings, VarianceAwareGenerator
from models.generator.vqgan import VarianceAwareVQModel
from models.guard.normality import NormalityGuard, RealImage
from models.integrator.update import update
from models.runtime.device_memory import HalvingBatch
from models.runtime.errors import DeviceMemoryError
from tests.models.conftest import part_image


class SmallDevice:
    """Has memory for `room` items in a call of the functions that it is given."""

    def __init__(self, room: int):
        self.room, self.calls, self.refusals = room, [], 0

    def __call__(self, function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def limited(items: Tensor, *args: object, **kwargs: object) -> Tensor:
            if len(items) > self.room:
                self.refusals += 1
                raise torch.OutOfMemoryError(f"no room for {len(items)}")
            self.calls.append(len(items))
            return function(items, *args, **kwargs)

        return limited


@pytest.mark.parametrize("room", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("count", [1, 2, 7, 10])
def test_pieces_together_are_the_whole(room: int, count: int):
    device = SmallDevice(room)
    items = torch.arange(count * 3.0).reshape(count, 3)
    batch = HalvingBatch(count)
    assert torch.equal(batch.concatenate(device(torch.neg), items), -items)
    assert sum(device.calls) >= count
    assert device.refusals <= math.ceil(math.log2(count)) if count > 1 else not device.refusals
    # What was learnt is kept: no second failure.
    refusals = device.refusals
    batch.concatenate(device(torch.neg), items)
    assert device.refusals == refusals


def test_a_single_item_that_is_too_much_is_told():
    with pytest.raises(DeviceMemoryError, match="no room for 1"):
        HalvingBatch(8).concatenate(SmallDevice(0)(torch.neg), torch.ones(8, 1))


def test_other_errors_pass():
    def broken(_: Tensor) -> Tensor:
        raise RuntimeError("not the memory")

    with pytest.raises(RuntimeError, match="not the memory"):
        HalvingBatch(8).concatenate(broken, torch.ones(8, 1))


def views(count: int) -> Tensor:
    return torch.stack([part_image(angle_deg=20 * i, size=64, seed=i) for i in range(count)])


def limit_decoder(generator: VarianceAwareGenerator, room: int) -> SmallDevice:
    device = SmallDevice(room)
    plain = generator.model.decode_latents
    limited = device(plain)
    generator.model.decode_latents = MethodType(
        lambda _, *args, **kwargs: limited(*args, **kwargs), generator.model
    )
    return device


def gradients(
    vqgan: VarianceAwareVQModel,
    room: int,
    train_one_step: Callable[[VarianceAwareGenerator], None],
) -> tuple[Tensor, Tensor]:
    """The decoder's gradients with all the memory and with `room`, each as one vector."""
    found = []
    for limited in (False, True):
        generator = VarianceAwareGenerator(vqgan)
        generator.model.is_reduced = False  # bfloat16 rounds more than another order of a sum
        device = limit_decoder(generator, room) if limited else SmallDevice(0)
        train_one_step(generator)
        assert bool(device.refusals) == limited
        grads = [p.grad for p in generator.model.decoder_parameters() if p.grad is not None]
        found.append(torch.cat([grad.flatten() for grad in grads]))
    return found[0], found[1]


@pytest.mark.parametrize("room", [1, 4])
def test_adaptation_in_pieces_has_the_same_gradients_and_loss(vqgan, room: int):
    losses: list[list[float]] = []
    whole, pieces = gradients(
        vqgan,
        room,
        lambda g: losses.append([float(d) for d in adapt(g.model, views(3), 1, seed=1)]),
    )
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert (whole - pieces).norm() < 1e-4 * whole.norm()


@pytest.mark.parametrize("room", [1, 3])
@pytest.mark.parametrize("anchor_weight", [0.0, 10.0])
def test_text_guidance_in_pieces_has_the_same_gradients(
    vqgan, room: int, anchor_weight: float, monkeypatch: pytest.MonkeyPatch
):
    """The cosine is that of the whole set, which no piece sees."""
    monkeypatch.setattr("models.integrator.update.ANCHOR_WEIGHT", anchor_weight)
    encoder = load_encoder("embedded")

    def guide(generator: VarianceAwareGenerator) -> None:
        update(
            generator,
            encoder,
            encoder.embed_text(["a hazelnut"])[0],
            views(4),
            [5, 6, 7, 8],
            anchor=torch.zeros_like(views(4)),
            settings=SamplingSettings(output="decode"),
            steps=1,
            on_step=lambda: None,
        )

    whole, pieces = gradients(vqgan, room, guide)
    # Convolutions round otherwise in another batch, and the quantiser may round a cell away.
    assert (whole - pieces).norm() < 0.01 * whole.norm()


def test_the_guard_in_pieces_is_the_guard(features: PatchFeatures, monkeypatch: pytest.MonkeyPatch):
    guard = NormalityGuard.fit(features, *([RealImage(x) for x in views(n)] for n in (3, 2)))
    unseen = views(5)[3:]
    whole = guard.distance_map(unseen)
    device, addmm = SmallDevice(10), torch.addmm

    def limited(squares: Tensor, rows: Tensor, *args: Tensor, **kwargs: float) -> Tensor:
        return device(lambda items: addmm(squares, items, *args, **kwargs))(rows)

    monkeypatch.setattr(torch, "addmm", limited)
    torch.testing.assert_close(guard.distance_map(unseen), whole)
    assert device.refusals
