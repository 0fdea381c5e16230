"""Batches of crops, decoded by worker processes while the device computes.

Crop n of a run is a function of the pack, the seed and n alone: any number of workers gives the
same batches, and a run goes on at any step.

Axes: B batch, H x W pixels (CROP_PX both).
"""

import io
import itertools
import random
import signal
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from models.training.vqgan.images import CROP_PX, augmented


class Crops(Dataset[Tensor]):
    """Crop n of a run, (3, H, W) uint8."""

    def __init__(self, squares: Sequence[bytes], seed: int):
        self.squares, self.seed = squares, seed

    def __getitem__(self, number: int) -> Tensor:
        """Decodes the square that crop `number` is cut from, and cuts it."""
        rng = random.Random(f"{self.seed}/{number}")
        with Image.open(io.BytesIO(rng.choice(self.squares))) as square:
            left, top = (rng.randint(0, side - CROP_PX) for side in square.size)
            crop = square.crop((left, top, left + CROP_PX, top + CROP_PX))
        return _tensor(augmented(crop, rng))


def batches(
    squares: Sequence[bytes],
    device: torch.device,
    *,
    seed: int,
    batch_size: int,
    first: int = 0,
    num_workers: int = 0,
) -> Iterator[Tensor]:
    """Batches number `first`, `first` + 1, ... without end: (B, 3, H, W) uint8 on the device."""
    numbers = (
        range(number * batch_size, (number + 1) * batch_size) for number in itertools.count(first)
    )
    loader: DataLoader[Tensor] = DataLoader(
        Crops(squares, seed),
        batch_sampler=numbers,  # type: ignore[arg-type]
        num_workers=num_workers,
        pin_memory=device.type == "cuda",
        prefetch_factor=4 if num_workers else None,
        worker_init_fn=_leave_signals_to_the_parent,
        multiprocessing_context="fork" if num_workers else None,  # the squares are not copied
    )
    for batch in loader:
        yield batch.to(device, non_blocking=True)


def first_crops(squares: Sequence[bytes], count: int, *, seed: int) -> Tensor:
    """The first crops of a run, (count, 3, H, W) uint8."""
    crops = Crops(squares, seed)
    return torch.stack([crops[number] for number in range(count)])


def held_out_batches(
    held_out: Sequence[bytes], device: torch.device, size: int = 16
) -> list[Tensor]:
    """The held-out crops on the device, (B, 3, H, W) uint8 each."""
    crops = []
    for data in held_out:
        with Image.open(io.BytesIO(data)) as crop:
            crops.append(_tensor(crop))
    return [piece.to(device) for piece in torch.stack(crops).split(size)]


def as_input(crops: Tensor) -> Tensor:
    """What the model takes, float in [-1, 1] in channels_last, of crops (B, 3, H, W) uint8."""
    return crops.contiguous(memory_format=torch.channels_last).float() / 127.5 - 1.0


def _tensor(crop: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(crop)).permute(2, 0, 1)  # (H, W, 3) -> (3, H, W)


def _leave_signals_to_the_parent(_: int) -> None:
    """A signal goes to the whole group of processes; the parent stops its workers itself."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
