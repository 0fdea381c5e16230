"""The one place where a setting becomes a device."""

import torch

AUTO = "auto"


def chosen_device(name: str) -> torch.device:
    """The device that the setting names, with its number if it is one of several.

    Args:
        name: "auto" (CUDA when there is one), "cpu", "cuda", "cuda:1", ...

    Raises:
        RuntimeError: torch knows no such device, or this machine does not have it.
    """
    if name == AUTO:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise RuntimeError(f"the device {name!r} was asked for, and torch sees no GPU here")
        if device.index is None:
            device = torch.device("cuda", torch.cuda.current_device())
    return device
