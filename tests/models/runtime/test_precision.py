import torch

from models.runtime.precision import is_fast_in_bfloat16, reduced_precision


def test_products_are_reduced_only_where_the_device_is_made_for_it():
    x = torch.rand(4, 4)
    with reduced_precision(x.device):
        product = x @ x
    is_fast = bool(torch.cpu.get_capabilities().get("amx_bf16"))
    assert product.dtype == (torch.bfloat16 if is_fast else torch.float32)
    assert (x @ x).dtype == torch.float32


def test_devices_without_known_units_compute_as_they_are_told():
    assert not is_fast_in_bfloat16("meta")
