"""Work in batches that gets smaller when the device's memory does not suffice, and goes on.

The result is the full batch's: what is cut into pieces is concatenated, or its gradients are added
up by the pieces' shares. It differs by rounding alone, as sums in another order do.
"""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from models.runtime.errors import DeviceMemoryError

Answer = TypeVar("Answer")


class HalvingBatch:
    """How many items are worked on at once: halved when memory runs out, and not raised again.

    Args:
        size: how many at first, >= 1.
    """

    def __init__(self, size: int):
        self.size = size

    def run(self, work: Callable[[list[slice]], Answer], count: int) -> Answer:
        """What `work` returns for `count` items, given the pieces to do one after the other.

        `work` begins anew with smaller pieces when the device's memory runs out, so what it changes
        it must set at its start.

        Raises:
            DeviceMemoryError: a single item is too much.
        """
        while True:
            try:
                return work([slice(i, i + self.size) for i in range(0, count, self.size)])
            except torch.OutOfMemoryError as error:
                if self.size == 1:
                    raise DeviceMemoryError(str(error)) from error
            # Only here has the error let go of the tensors that it came from.
            torch.cuda.empty_cache()
            self.size = max(1, min(self.size, count) // 2)

    def concatenate(self, function: Callable[[Tensor], Tensor], items: Tensor) -> Tensor:
        """`function` of the items (B, ...), which must treat each of them by itself.

        Raises:
            DeviceMemoryError: a single item is too much.
        """
        return self.run(
            lambda pieces: torch.cat([function(items[piece]) for piece in pieces]), len(items)
        )
