"""Puts the normality guard on trial: planted defects, and good images held back."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models.evaluation.data.dataset import Category, load_image
from models.evaluation.guard_trial.defects import (
    CONTRASTS,
    KINDS,
    SIZES,
    DefectSpec,
    PlantedDefect,
    plant,
)
from models.evaluation.rows.plain import RowInput
from models.views.showing.part_mask import lone_part_mask
from models.views.view import to_tensor

CLEAN = "none"
NUM_HELD_BACK = 24


class Guard(Protocol):
    """Anything that measures how far images lie from the normal ones."""

    threshold: float

    def distance(self, images: Tensor) -> Tensor:
        """(B,) >= 0 for images (B, 3, H, W) in [0, 1]; beyond `threshold` is rejected."""


@dataclass(frozen=True)
class Defendant:
    """A guard to be tried.

    Attributes:
        guard: fitted to the k real images.
        size: (width, height) of the images that it judges.
        generated: images that it let pass.
        device: where it looks at them.
    """

    guard: Guard
    size: tuple[int, int]
    generated: Sequence[Image.Image]
    device: torch.device | str = "cpu"


MakeDefendant = Callable[[RowInput], Defendant]


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """One image judged.

    Attributes:
        base: "real" (one of the k), "generated", or "held-back" (real, the guard never saw it).
        ratio: distance over the guard's threshold; above 1 is rejected.
        kind: kind of defect planted; "none" for an image left as it was.
        size: "small", "medium", "large"; "" without a defect.
        contrast: "faint", "clear", "strong"; "" without a defect.
        visibility: in just noticeable differences; 0 without a defect.
    """

    category: str
    shots: int
    seed: int
    base: str
    ratio: float
    kind: str = CLEAN
    size: str = ""
    contrast: str = ""
    visibility: float = 0.0


def try_guard(
    category: Category, data: RowInput, make_defendant: MakeDefendant
) -> Iterator[Judgement]:
    """Judges clean images, and every kind, size and contrast of defect in real and generated ones.

    Args:
        category: where held-back good images come from, training images first.
        data: the k real images.
        make_defendant: fits the guard.
    """
    defendant = make_defendant(data)
    given = set(category.choose(len(data.images), data.seed))
    good = [path for path in category.train if path not in given]
    good += [image.path for image in category.test if not image.is_defective]
    bases = {"real": data.images, "generated": defendant.generated}
    clean = bases | {"held-back": [load_image(path) for path in good[:NUM_HELD_BACK]]}

    def judge(base: str, image: Image.Image) -> Judgement:
        return Judgement(
            category=category.name,
            shots=len(data.images),
            seed=data.seed,
            base=base,
            ratio=_ratio(defendant, image),
        )

    for base, images in clean.items():
        for image in images:
            yield judge(base, image)
    for base, images in bases.items():
        for names, planted in _planted(images, defendant.size, data.seed):
            kind, size, contrast = names
            yield replace(
                judge(base, planted.image),
                kind=kind,
                size=size,
                contrast=contrast,
                visibility=round(planted.visibility, 3),
            )


def _planted(
    images: Sequence[Image.Image], size_px: tuple[int, int], seed: int
) -> Iterator[tuple[tuple[str, str, str], PlantedDefect]]:
    """Every (kind, size, contrast), by turns in the images, on the object and anywhere."""
    combinations = itertools.product(KINDS, SIZES, CONTRASTS) if images else ()
    for number, names in enumerate(combinations):
        kind, size, contrast = names
        whole = images[number % len(images)].resize(size_px, Image.Resampling.LANCZOS)
        spec = DefectSpec(kind, SIZES[size], CONTRASTS[contrast], seed * 1000 + number)
        yield names, plant(whole, spec, _object(whole) if number % 2 else None)


def _ratio(defendant: Defendant, image: Image.Image) -> float:
    pixels = to_tensor(image, defendant.size)[None].to(defendant.device)
    return round(float(defendant.guard.distance(pixels)[0]) / defendant.guard.threshold, 5)


def _object(image: Image.Image) -> np.ndarray | None:
    """Where the object lies, (H, W); None where it fills the image."""
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1) / 255.0
    mask = lone_part_mask(pixels)
    return None if mask is None else mask.numpy()
