"""Trains the detector on each row's images and measures it, cell by cell."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.evaluation import metrics, patchcore
from models.evaluation.cells import Cell, CellFile, digest, method_files
from models.evaluation.dataset import Category, load_image
from models.evaluation.patchcore import IMAGE_PX, AnomalyScores, PatchCore
from models.evaluation.rows import PLAIN_ROWS, Row, RowInput, find_row
from models.patch_features import SHA256, PatchFeatures

FULL = "full"
DETECTOR = "patchcore"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is the same for every row of a table.

    Attributes:
        num_images: how many images a generating row adds to the k real ones.
        coreset_size: most patches in the detector's memory bank.
        reweight: whether image scores are weighed by the paper's equation 7.
        options: for the rows that generate: keyword options of the pipeline.
    """

    num_images: int = 24
    coreset_size: int = 4096
    reweight: bool = False
    options: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """One cell to be measured: this row with these real images."""

    category: Category
    shots: int
    seed: int
    row: str


@dataclass(frozen=True)
class TestSet:
    """A category's test images as the detector sees them.

    Attributes:
        labels: (B,) true where defective.
        patches: (B, P, F) patch features.
        masks: (B, 224, 224) true where defective, for the images of `with_mask`; all false else.
        with_mask: (B,) true for normal images and for defective ones that somebody drew a mask for.
    """

    __test__ = False

    labels: NDArray[np.bool_]
    patches: Tensor
    masks: NDArray[np.bool_]
    with_mask: NDArray[np.bool_]

    @property
    def has_masks(self) -> bool:
        """Whether pixel figures can be had."""
        return bool(self.masks.any())


def plan(
    categories: Sequence[Category], rows: Sequence[str], shots: Sequence[int], num_seeds: int
) -> list[Plan]:
    """The cells of a table, cheap rows first within a category. `full` has one cell a category."""
    plans = []
    for category in categories:
        if FULL in rows:
            plans.append(Plan(category, 0, 0, FULL))
        for row in rows:
            if row != FULL:
                plans += [Plan(category, k, seed, row) for k in shots for seed in range(num_seeds)]
    return plans


class Experiment:
    """Measures cells, keeping finished ones and the test images' features in a folder."""

    def __init__(self, folder: Path, features: PatchFeatures, settings: Settings):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.features = features
        self.settings = settings
        self.cells = CellFile(folder / "cells.csv")
        self.rows: dict[str, Row] = {}
        self._test_sets: dict[Category, TestSet] = {}
        self._method = method_files()

    def finished(self, plans: Sequence[Plan]) -> dict[Plan, Cell]:
        """Those of the plans that were measured before with the same settings, code and weights."""
        known = {cell.identity: cell for cell in self.cells.read()}
        identities = {plan: self._identity(plan) for plan in plans}
        return {plan: known[i] for plan, i in identities.items() if i in known}

    def measure(self, plan: Plan) -> Cell:
        """Makes the row's training images, trains the detector and tests it; keeps the cell."""
        test = self.test_set(plan.category)
        start = time.monotonic()
        images = self.training_images(plan)
        row_s = time.monotonic() - start
        start = time.monotonic()
        scores = self.score(images, plan, test)
        pixel_auroc = pro = None
        if test.has_masks:
            maps = patchcore.anomaly_maps(scores.patches)[torch.from_numpy(test.with_mask)].numpy()
            masks = test.masks[test.with_mask]
            pixel_auroc, pro = metrics.pixel_auroc(masks, maps), metrics.pro(masks, maps)
        category, shots, seed, row, detector, key = self._identity(plan)
        cell = Cell(
            category=category,
            shots=shots,
            seed=seed,
            row=row,
            detector=detector,
            key=key,
            image_auroc=metrics.auroc(test.labels, scores.images.numpy()),
            pixel_auroc=pixel_auroc,
            pro=pro,
            num_train=len(images),
            row_s=round(row_s, 2),
            detector_s=round(time.monotonic() - start, 2),
        )
        self.cells.append(cell)
        return cell

    def training_images(self, plan: Plan) -> list[Image.Image]:
        """The images that the plan's row trains on."""
        shots = plan.shots or len(plan.category.train)
        data = RowInput(
            images=[load_image(path) for path in plan.category.choose(shots, plan.seed)],
            object_name=plan.category.object_name,
            seed=plan.seed,
            train=plan.category.train,
            num_images=self.settings.num_images,
        )
        return (self.rows.get(plan.row) or find_row(plan.row))(data)

    def score(self, images: Sequence[Image.Image], plan: Plan, test: TestSet) -> AnomalyScores:
        """The test images' scores of a detector that was trained on `images`."""
        detector = PatchCore(
            self.features,
            coreset_size=self.settings.coreset_size,
            reweight=self.settings.reweight,
        )
        return detector.fit(images, plan.seed).score(test.patches)

    def test_set(self, category: Category) -> TestSet:
        """The category's test images; their features are extracted once and kept on the disk."""
        if category not in self._test_sets:
            self._test_sets.clear()  # cells come category by category, and one set is 40 MB
            self._test_sets[category] = self._read_test_set(category)
        return self._test_sets[category]

    def _read_test_set(self, category: Category) -> TestSet:
        files = [image.path for image in category.test]
        code = Path(patchcore.__file__)
        name = f"{category.name}-{digest({'weights': SHA256}, [*files, code])}.safetensors"
        cached = self.folder / "features" / name
        if not cached.exists():
            cached.parent.mkdir(exist_ok=True)
            patches = patchcore.extract(self.features, [load_image(path) for path in files])
            partial = cached.with_suffix(".partial")
            save_file({"patches": patches}, partial)
            partial.rename(cached)
        labels = np.array([image.is_defective for image in category.test])
        masks = np.stack([_load_mask(image.mask) for image in category.test])
        with_mask = masks.any(axis=(1, 2)) | ~labels  # an empty mask of a defect says nothing
        return TestSet(labels, load_file(cached)["patches"], masks, with_mask)

    def _identity(self, plan: Plan) -> tuple[str, int, int, str, str, str]:
        settings = self.settings
        state: dict[str, object] = {
            "weights": SHA256,
            "coreset_size": settings.coreset_size,
            "reweight": settings.reweight,
            "test": len(plan.category.test),
        }
        files = [Path(__file__).parent / name for name in ("patchcore.py", "metrics.py", "rows.py")]
        if plan.row not in PLAIN_ROWS:
            state |= {"num_images": settings.num_images, "options": settings.options}
            files += self._method
        category = plan.category.name
        return (category, plan.shots, plan.seed, plan.row, DETECTOR, digest(state, files))


def _load_mask(path: Path | None) -> NDArray[np.bool_]:
    """The mask at the detector's size, (224, 224)."""
    if path is None:
        return np.zeros((IMAGE_PX, IMAGE_PX), dtype=bool)
    with Image.open(path) as opened:
        mask = np.asarray(opened.convert("L")) > 0
    # Shrunk by area and not by nearest pixel: a thin crack must not vanish between samples.
    shares = Image.fromarray(mask.astype(np.float32)).resize((IMAGE_PX,) * 2, Image.Resampling.BOX)
    return np.asarray(shares) > 0.25
