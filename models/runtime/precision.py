"""Arithmetic in bfloat16 where a device is made for it."""

from contextlib import AbstractContextManager, nullcontext
from functools import cache

import torch


def reduced_precision(device: torch.device) -> AbstractContextManager[object]:
    """Convolutions and products within the block are done in bfloat16, if that pays there."""
    if not is_fast_in_bfloat16(device.type):
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


@cache
def is_fast_in_bfloat16(device_type: str) -> bool:
    """Whether devices of the type have units for it: a CPU's matrix tiles, a GPU's tensor cores."""
    if device_type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # A CPU without tiles takes as long or longer than in single precision.
    return device_type == "cpu" and bool(torch.cpu.get_capabilities().get("amx_bf16"))
