"""Known images, and how far another one is from being a copy of one of them.

A copy brings a detector nothing and would be counted as an image. The paper has no such check.

Axes: H x W pixels; images (3, H, W) in [0, 1].
"""

import torch
from torch import Tensor
from torch.nn import functional as F

# A copy: nowhere in the image does a cell differ by more than this mean difference ...
COPY_DIFFERENCE = 2.0 / 255.0
# ... or, where all of the image is dark or all of it bright, this share of how far it reaches from
# black or from white: the same change of the light is less there.
COPY_SHARE = 4.0 / 255.0
# A cell's side in px: a sixteenth of the image's short side, between these.
LEAST_CELL_PX, COPY_CELL_PX = 8, 16
# Where real images differ less from each other, that says what a copy is: of so many at least,
# since two may be one picture in two files.
LEAST_IMAGES = 3

# Room for so many images at first; it doubles when it is full.
FIRST_ROOM = 64
# Cells compared at once.
MAX_COMPARED = 2**22


class KnownImages:
    """The real images of a job and those accepted so far, all of one size."""

    def __init__(self) -> None:
        self._number = 0
        self._cells = torch.empty(0)  # of each image a row, and room for more

    def __len__(self) -> int:
        return self._number

    def add(self, image: Tensor) -> None:
        """Makes the image (3, H, W) one that others must not copy."""
        cells = _cells(image)
        if self._number == len(self._cells):
            grown = cells.new_empty(max(FIRST_ROOM, 2 * self._number), len(cells))
            if self._number:
                grown[: self._number] = self._cells
            self._cells = grown
        self._cells[self._number] = cells
        self._number += 1

    def keep_first(self, number: int) -> None:
        """Forgets all but the first `number` images."""
        self._number = min(self._number, number)

    def difference(self, image: Tensor) -> Tensor:
        """Largest cell difference of the image (3, H, W) to the known one most like it, in [0, 1].

        A scalar on the image's device; 1 if none is known; below COPY_DIFFERENCE it is a copy.
        """
        if not self._number:
            return image.new_ones(())
        cells = _cells(image)
        pieces = self._cells[: self._number].split(max(1, MAX_COMPARED // len(cells)))
        nearest = [(known - cells).abs().amax(dim=1).min() for known in pieces]
        return torch.stack(nearest).min()


def copy_difference(images: Tensor) -> float:
    """An image that differs by less from one of these real ones (k, 3, H, W) is a copy, in [0, 1].

    COPY_DIFFERENCE, less of dark and of bright images, or what half of the real images differ by
    from the one most like them: on a line that holds its parts exactly, no two good images differ
    by more.
    """
    cells = torch.stack([_cells(image) for image in images])
    reach = min(float(cells.max()), 1.0 - float(cells.min()))
    difference = min(COPY_DIFFERENCE, COPY_SHARE * reach)
    if len(images) < LEAST_IMAGES:
        return difference
    differences = torch.cdist(cells, cells, p=torch.inf)
    differences.fill_diagonal_(torch.inf)
    return min(difference, float(differences.amin(dim=1).median()))


def _cells(image: Tensor) -> Tensor:
    """Mean of each square cell in each channel, also of what is left at the edges, (N,)."""
    side = min(max(min(image.shape[1:]) // 16, LEAST_CELL_PX), COPY_CELL_PX)
    cells = F.avg_pool2d(image, side, ceil_mode=True, count_include_pad=False)
    return cells.flatten()
