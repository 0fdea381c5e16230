"""Known images, and how far another one is from being a copy of one of them.

A copy brings a detector nothing and would be counted as an image. The paper has no such check.

Axes: H x W pixels; images (3, H, W) in [0, 1].
"""

from torch import Tensor
from torch.nn import functional as F

# A copy: nowhere in the image does a COPY_CELL_PX cell differ by more than this mean difference.
COPY_DIFFERENCE = 2.0 / 255.0
COPY_CELL_PX = 16


class KnownImages:
    """The real images of a job and those accepted so far, all of one size."""

    def __init__(self) -> None:
        self.cells: list[Tensor] = []

    def __len__(self) -> int:
        return len(self.cells)

    def add(self, image: Tensor) -> None:
        """Makes the image (3, H, W) one that others must not copy."""
        self.cells.append(_cells(image))

    def keep_first(self, number: int) -> None:
        """Forgets all but the first `number` images."""
        del self.cells[number:]

    def difference(self, image: Tensor) -> float:
        """Largest cell difference of the image (3, H, W) to the known one most like it, in [0, 1].

        1 if none is known; below COPY_DIFFERENCE it is a copy.
        """
        cells = _cells(image)
        return min((float((cells - known).abs().max()) for known in self.cells), default=1.0)


def _cells(image: Tensor) -> Tensor:
    """Mean of each COPY_CELL_PX square, (3, H / 16, W / 16), and of what is left at the edges."""
    return F.avg_pool2d(image, COPY_CELL_PX, ceil_mode=True, count_include_pad=False)
