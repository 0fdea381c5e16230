"""Normality guard: rejects an image with a patch unlike any of the real images', and a copy.

Its memory bank is a random sample of the patches of the real images, as a whole moved and lit as
the views are: it holds only what was seen, and no ghost, seam or continued ground that a view may
have. An image whose worst patch lies farther from the bank than those of real images that the bank
has not seen is rejected; a defect fainter than that passes. With LEAST_SOURCES real images or more,
"not seen" means that the bank has nothing of the same real image: the threshold then lets another
good part pass, and with fewer it judges by the given ones. Images smaller than LEAST_SIDE_PX are
enlarged first, so that a small defect fills a patch.

The paper has no guard. Source of the score: PatchCore's s*, Roth et al., CVPR 2022
(arXiv 2106.08265), section 3.3, equation 6; its coreset and its weighing of the score are not used.

Axes: B batch, N bank entries, F patch features, P patches, H x W pixels; images in [0, 1].
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from models.features.nearest import farthest, nearest_distances
from models.features.patches import PatchFeatures
from models.guard.copies import COPY_DIFFERENCE, KnownImages, copy_difference
from models.runtime.precision import reduced_precision

# Patches in the bank at most, drawn at random from all.
BANK_SIZE = 6000
# Long side in px that an image has at least when it is looked at.
LEAST_SIDE_PX = 448
# Share of unseen real views that may lie beyond the threshold.
FALSE_REJECTION_RATE = 0.05
# From so many real images on, each is measured against the bank of the others.
LEAST_SOURCES = 3
# The share then: a bank without one real image finds the views of that one stranger than the whole
# bank does another good part, of which fewer than 5 % are beyond this threshold.
FALSE_REJECTION_RATE_OF_OTHERS = 0.1

Place = tuple[float, float, float, float]
"""A patch as (left, top, width, height), shares of the image in [0, 1]."""


@dataclass(frozen=True, eq=False)
class RealImage:
    """A real image, as it is or moved as a whole.

    Attributes:
        pixels: (3, H, W) in [0, 1].
        is_seen: (H, W) bool, true where it shows the real image's pixels, false beyond its edge;
            None if that is everywhere.
        source: which real image it shows.
    """

    pixels: Tensor
    is_seen: Tensor | None = None
    source: int = 0


@dataclass(frozen=True)
class Look:
    """What the guard finds strangest in an image.

    Attributes:
        guard_distance: worst patch's distance to the bank over the threshold.
        place: that patch.
        allowed: the `guard_distance` beyond which it is rejected, >= 1. A real image moved as a
            whole is such as the bank is made of, and at most strange to a sample of them: of it,
            and of what sigma makes of it, its own.
    """

    guard_distance: float
    place: Place
    allowed: float = 1.0

    @property
    def is_anomalous(self) -> bool:
        """Whether it is rejected for it."""
        return not self.guard_distance <= self.allowed  # a NaN is rejected too


@dataclass(frozen=True)
class Verdict:
    """What the guard says of one image.

    Attributes:
        look: what is strangest in it; None of a copy, at which nothing else is looked at.
        nearest_distance: largest cell difference to the most similar known image, in [0, 1].
        reason: None if accepted, else "anomalous" or "near_copy".
    """

    look: Look | None
    nearest_distance: float
    reason: str | None


class NormalityGuard:
    """Memory bank, threshold and the known images of one job.

    Attributes:
        bank: patch features of the real images, (N, F).
        threshold: the distance beyond which a worst patch is anomalous, in feature units.
        known: images that another must not copy.
        copy_difference: an image that differs by less from a known one is a copy of it.
    """

    def __init__(self, features: PatchFeatures, bank: Tensor, threshold: float):
        self.features = features
        self.bank = bank
        self.threshold = threshold
        self.known = KnownImages()
        self.copy_difference = COPY_DIFFERENCE

    @classmethod
    def fit(
        cls,
        features: PatchFeatures,
        bank_images: Sequence[RealImage],
        unseen_images: Sequence[RealImage],
        *,
        seed: int = 0,
        on_image: Callable[[], None] = lambda: None,
    ) -> "NormalityGuard":
        """Draws the bank from `bank_images`; sets the threshold on `unseen_images`, one at least.

        At most BANK_SIZE of the patches are kept, drawn at random by `seed`. The threshold is the
        distance that a share of FALSE_REJECTION_RATE of the unseen images exceeds, or
        FALSE_REJECTION_RATE_OF_OTHERS if each is measured against the other real images.
        `on_image` is called after each image; it may raise to stop.
        """
        rows = []
        for image in bank_images:
            rows.append(_seen_patches(features, image))
            on_image()
        patches = torch.cat(rows)
        owners = torch.cat(
            [torch.full((len(each),), i.source) for each, i in zip(rows, bank_images, strict=True)]
        )
        generator = torch.Generator().manual_seed(seed)
        chosen = torch.randperm(len(patches), generator=generator)[:BANK_SIZE]
        bank, owners = patches[chosen.to(patches.device)], owners[chosen].to(patches.device)
        leave_out = len(owners.unique()) >= LEAST_SOURCES
        distances = []
        for image in unseen_images:
            others = bank[owners != image.source] if leave_out else bank
            distances.append(farthest(_seen_patches(features, image), others)[0])
            on_image()
        rate = FALSE_REJECTION_RATE_OF_OTHERS if leave_out else FALSE_REJECTION_RATE
        return cls(features, bank, float(torch.stack(distances).quantile(1.0 - rate)))

    def distance(self, images: Tensor) -> Tensor:
        """Each image's worst patch distance to the bank, (B,), in feature units."""
        found = (_rows(_grids(self.features, image[None]))[0] for image in images)
        return torch.stack([farthest(rows, self.bank)[0] for rows in found])

    @torch.no_grad()
    def distance_map(self, images: Tensor) -> Tensor:
        """Each patch's distance to its nearest bank entry, (B, h, w); a patch is 8 px.

        Of the image as it is looked at, that is (H, W) or enlarged to LEAST_SIDE_PX.
        """
        maps = []
        for image in images:
            grid = _grids(self.features, image[None])[0]  # (F, h, w)
            distances, _ = nearest_distances(grid.flatten(1).T, self.bank)
            maps.append(distances.reshape(grid.shape[-2:]))
        return torch.stack(maps)

    def remember(self, image: Tensor) -> None:
        """Makes the image (3, H, W) one that others must not copy."""
        self.known.add(image)

    def remember_real(self, images: Tensor) -> None:
        """As `remember`, all real images (k, 3, H, W) at once; they also say what a copy is."""
        for image in images:
            self.known.add(image)
        self.copy_difference = copy_difference(images)

    def forget_generated(self, num_real: int) -> None:
        """Keeps only the first `num_real` of the remembered images, the real ones."""
        self.known.keep_first(num_real)

    def copies(self, images: Tensor) -> list[bool]:
        """Which of the images (B, 3, H, W) copy a known one; cheaper than a look at them."""
        nearest = torch.stack([self.known.difference(image) for image in images])
        return (nearest < self.copy_difference).tolist()

    @torch.no_grad()
    def look(self, images: Tensor) -> list[Look]:
        """What is strangest in each of the images (B, 3, H, W)."""
        grids = _grids(self.features, images)  # (B, F, h, w)
        found = [farthest(rows, self.bank) for rows in _rows(grids)]
        distances = torch.stack([distance for distance, _ in found]).tolist()
        indices = torch.stack([index for _, index in found]).tolist()
        height, width = grids.shape[-2:]
        looks = []
        for distance, index in zip(distances, indices, strict=True):
            row, column = divmod(index, width)
            place = (column / width, row / height, 1 / width, 1 / height)
            looks.append(Look(distance / max(self.threshold, 1e-9), place))
        return looks

    def judge(self, image: Tensor) -> Verdict:
        """Verdict on one image (3, H, W); does not remember it."""
        return self.judge_look(image, self.look(image[None])[0])

    def judge_look(self, image: Tensor, look: Look | None) -> Verdict:
        """Verdict on an image (3, H, W) that was looked at or is a copy; does not remember it."""
        nearest = float(self.known.difference(image))
        reason = None
        if look is not None and look.is_anomalous:
            reason = "anomalous"
        elif nearest < self.copy_difference:
            reason = "near_copy"
        return Verdict(look, nearest, reason)


@torch.no_grad()
def _grids(features: PatchFeatures, images: Tensor) -> Tensor:
    """Patch features (B, F, h, w) float32 of images (B, 3, H, W), as the guard looks at them.

    In reduced precision where that is fast: what it rounds off is small against how far patches of
    good images lie from each other, and the bank is seen by the same eyes.
    """
    with reduced_precision(images.device):
        return features.patch_grid(_enlarged(images)).float()


def _seen_patches(features: PatchFeatures, image: RealImage) -> Tensor:
    """Patch features (P, F) of where the image and all around it is seen; P is at least 1.

    Of a narrow image that may be nowhere: then all of it counts.
    """
    (grid,) = _grids(features, image.pixels[None])  # (F, h, w)
    if image.is_seen is None:
        return grid.flatten(1).T
    unseen = 1.0 - image.is_seen[None].float()
    cells = F.adaptive_max_pool2d(unseen, grid.shape[-2:])
    is_within = F.max_pool2d(cells, 3, 1, 1)[0] == 0.0
    return grid[:, is_within if is_within.any() else torch.ones_like(is_within)].T


def _rows(grids: Tensor) -> Tensor:
    """Grids (B, F, h, w) as rows, (B, P, F)."""
    return grids.flatten(2).transpose(1, 2)


def _enlarged(images: Tensor) -> Tensor:
    """The images (B, 3, H, W) with a long side of LEAST_SIDE_PX, or as they are if larger."""
    factor = LEAST_SIDE_PX / max(images.shape[2:])
    if factor <= 1.0:
        return images
    size = [round(side * factor) for side in images.shape[2:]]
    return F.interpolate(images, size, mode="bicubic").clamp(0.0, 1.0)
