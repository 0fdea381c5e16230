"""The one place where a setting becomes a device, and where it is said what that one is good for.

Which arithmetic a device is made for stands in `precision.py`.
"""

import torch

AUTO = "auto"
# What an image takes of a device's memory while it is made and judged, at most: the method sees it
# at one size, whatever is delivered. Decoding and the guard's network need about half of it.
IMAGE_BYTES = 128 * 2**20
# Models, other processes and what torch keeps back have the rest.
SHARE_FOR_IMAGES = 0.25
MOST_AT_ONCE = 64


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


def images_at_once(device: torch.device) -> int:
    """How many images are made at once, a power of two.

    By the device's whole memory and not by what is free just now: a batch rounds by its size, and
    one request is to give the same bytes on one device. A processor takes no less time for an image
    of several, and more where they leave its cache.
    """
    if device.type != "cuda":
        return 1
    room = SHARE_FOR_IMAGES * torch.cuda.get_device_properties(device).total_memory
    fitting = max(1, min(MOST_AT_ONCE, int(room / IMAGE_BYTES)))
    return 1 << (fitting.bit_length() - 1)


def use_native_kernels(device: torch.device) -> None:
    """Lets torch convolve by its own kernels on a GPU, in place of cuDNN's.

    cuDNN plans anew for every shape of its input, of a batch of another size too, and a job has a
    dozen of them: on an H100 the network that sees took 2 s for each, and 64 images took longer
    than on a processor. Torch's own kernels plan nothing, and in inference they add up in one
    order, so that one request gives the same bytes.
    """
    if device.type == "cuda":
        torch.backends.cudnn.enabled = False
