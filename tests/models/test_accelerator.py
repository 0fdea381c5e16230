"""What stands in for a GPU refuses what a GPU refuses."""

import numpy as np
import pytest
import torch

from tests.models.accelerator import DEVICE, Accelerator


def test_what_is_computed_there_is_what_the_processor_computes():
    x, weight = torch.randn(2, 3, 8, 8), torch.randn(4, 3, 3, 3)
    with Accelerator():
        there, weights = x.to(DEVICE), weight.to(DEVICE).requires_grad_()
        loss = torch.nn.functional.conv2d(there, weights).square().mean()
        assert loss.device == DEVICE
        loss.backward()
        assert weights.grad is not None
        found = weights.grad.cpu()
    weight.requires_grad_()
    torch.nn.functional.conv2d(x, weight).square().mean().backward()
    assert torch.equal(found, weight.grad)


@pytest.mark.parametrize(
    "mistake",
    [
        lambda there, here: there + here,
        lambda there, here: here.add_(there),
        lambda there, here: torch.where(here > 0, there, 0.0),
        lambda there, here: torch.cat([there, here]),
        lambda there, here: torch.stack([there.sum(), here.sum()]),
        lambda there, here: there[here.argsort()],
        lambda there, here: torch.randn(3, device=DEVICE, generator=torch.Generator()),
        lambda there, here: there.numpy(),
        lambda there, here: np.asarray(there),
    ],
)
def test_what_a_gpu_refuses_is_refused(mistake):
    with Accelerator():
        here = torch.randn(3)
        there = here.to(DEVICE)
        with pytest.raises((RuntimeError, TypeError)):
            mistake(there, here)


def test_copies_and_numbers_go_both_ways():
    with Accelerator():
        there = torch.ones(3, device=DEVICE)
        there.mul_(torch.tensor(2.0)).copy_(torch.tensor([4.0, 9.0, 16.0]))
        here = torch.empty(3).copy_(there.sqrt())
        assert here.tolist() == there.sqrt().tolist() == [2.0, 3.0, 4.0]


def test_it_counts_how_often_it_is_waited_for():
    with Accelerator() as accelerator:
        there = torch.arange(4.0, device=DEVICE)
        there = there * 2 + there.mean()
        assert accelerator.num_waits == 0
        assert float(there[0]) == 1.5
        assert accelerator.num_waits == 1
        _ = there.cpu(), there[there > 2]
        assert accelerator.num_waits == 3


def test_outside_there_is_no_such_device():
    with Accelerator():
        there = torch.ones(3, device=DEVICE)
    with pytest.raises(RuntimeError, match="no accelerator"):
        _ = there + 1
