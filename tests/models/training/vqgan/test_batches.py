import itertools

import torch

from models.training.vqgan.batches import as_input, batches, held_out_batches
from models.training.vqgan.pack import Pack

CPU = torch.device("cpu")


def test_worker_processes_change_no_batch(pack: Pack):
    alone = batches(pack.squares, CPU, seed=5, batch_size=3)
    shared = batches(pack.squares, CPU, seed=5, batch_size=3, num_workers=2)
    for one, other in itertools.islice(zip(alone, shared, strict=True), 4):
        assert one.shape == (3, 3, 128, 128)
        assert torch.equal(one, other)


def test_batches_go_on_at_any_step(pack: Pack):
    whole = batches(pack.squares, CPU, seed=5, batch_size=2)
    later = batches(pack.squares, CPU, seed=5, batch_size=2, first=3)
    assert torch.equal(next(itertools.islice(whole, 3, None)), next(later))


def test_batches_differ_and_follow_the_seed(pack: Pack):
    first, second = itertools.islice(batches(pack.squares, CPU, seed=5, batch_size=2), 2)
    other = next(batches(pack.squares, CPU, seed=6, batch_size=2))
    assert not torch.equal(first, second)
    assert not torch.equal(first, other)


def test_the_models_input_is_in_range(pack: Pack):
    (batch,) = held_out_batches(pack.held_out, CPU)
    x = as_input(batch)
    assert x.shape == (2, 3, 128, 128)
    assert -1.0 <= float(x.min()) < float(x.max()) <= 1.0
    assert x.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close((x + 1) * 127.5, batch.float(), atol=1e-3, rtol=0)
