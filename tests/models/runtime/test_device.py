from types import SimpleNamespace

import pytest
import torch

from models.runtime.device import chosen_device, images_at_once, use_native_kernels

GIB = 2**30


def test_a_setting_names_a_device():
    assert chosen_device("cpu") == torch.device("cpu")
    wanted = "cuda" if torch.cuda.is_available() else "cpu"
    assert chosen_device("auto").type == wanted


def test_a_device_that_is_not_there_is_named():
    if not torch.cuda.is_available():
        with pytest.raises(RuntimeError, match=r"'cuda:1'.*no GPU"):
            chosen_device("cuda:1")
    with pytest.raises(RuntimeError, match="abacus"):
        chosen_device("abacus")


def test_a_processor_makes_one_image_at_a_time():
    assert images_at_once(torch.device("cpu")) == 1


def test_a_gpu_makes_what_its_memory_holds(monkeypatch: pytest.MonkeyPatch):
    at_once = {}
    for gib in (0.25, 4, 8, 12, 24, 80):
        properties = SimpleNamespace(total_memory=int(gib * GIB))
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _, p=properties: p)
        at_once[gib] = images_at_once(torch.device("cuda", 0))
    assert at_once == {0.25: 1, 4: 8, 8: 16, 12: 16, 24: 32, 80: 64}


@pytest.mark.parametrize(("device", "by_cudnn"), [("cuda", False), ("cpu", True)])
def test_a_gpu_convolves_without_plans_for_each_shape(device: str, by_cudnn: bool):
    with torch.backends.cudnn.flags(enabled=True):
        use_native_kernels(torch.device(device))
        assert torch.backends.cudnn.enabled is by_cudnn
