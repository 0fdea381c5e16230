"""Trains the detector on each row's images and measures it, cell by cell."""

import itertools
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from models.catalog.embedded import LITE0_SHA256
from models.evaluation.cells import Cell, CellFile, detector_files, digest, method_files
from models.evaluation.data.dataset import Category, load_image
from models.evaluation.data.testset import TestSet, read_test_set
from models.evaluation.detector import metrics, patchcore
from models.evaluation.detector.patchcore import AnomalyScores, PatchCore
from models.evaluation.rows.plain import PLAIN_ROWS, Row, RowInput, find_row, row_module
from models.features.patches import PatchFeatures

FULL = "full"
# More draws of the real images than this are not asked for: seeds of coresets lie this far apart.
MAX_DRAWS = 1000
GENERATION_SETTINGS = (
    "num_images",
    "image_size",
    "effort",
    "invariances",
    "encoder",
    "vqgan",
    "device",
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is the same for every row of a table.

    Attributes:
        detector: "patchcore", the only one that runs here (others read the archive by themselves);
            a fidelity trial goes without one by "none".
        num_images: how many images a generating row adds for each real one.
        image_size: long side of generated images in px; None: that of the first real image.
        effort: how hard the pipeline works, "draft", "standard" or "high".
        invariances: what a person says may vary; None leaves it to the images.
        encoder, vqgan, device: what `load_pipeline` takes.
        coreset_size: most patches in the detector's memory bank.
        num_coresets: a cell's figures are means over so many draws of that bank, which alone move
            an image AUROC by some .01 on a hard category.
        reweight: whether image scores are weighed by the paper's equation 7.
    """

    detector: str = "patchcore"
    num_images: int = 24
    image_size: int | None = 224
    effort: str = "standard"
    invariances: tuple[str, ...] | None = None
    encoder: str = "embedded"
    vqgan: str = "embedded"
    device: str = "auto"
    coreset_size: int = 4096
    num_coresets: int = 3
    reweight: bool = False


@dataclass(frozen=True)
class Plan:
    """One cell to be measured: this row with these real images."""

    category: Category
    shots: int
    seed: int
    row: str


def plan(
    categories: Sequence[Category], rows: Sequence[str], shots: Sequence[int], num_seeds: int
) -> list[Plan]:
    """The cells of a table; `full` has one cell a category.

    Rows of the same real images follow each other, since they have work in common.

    Raises:
        ValueError: a category has fewer training images than shots are asked for.
    """
    plans = []
    for category in categories:
        category.choose(max(shots), 0)
        if FULL in rows:
            plans.append(Plan(category, 0, 0, FULL))
        others = [row for row in rows if row != FULL]
        draws = itertools.product(shots, range(num_seeds), others)
        plans += [Plan(category, k, seed, row) for k, seed, row in draws]
    return plans


class Experiment:
    """Measures cells, keeping finished ones and the test images' features in a folder."""

    def __init__(self, folder: Path, features: PatchFeatures, settings: Settings):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.features = features
        self.settings = settings
        self.cells = CellFile(folder / "cells.csv", Cell)
        self.rows: dict[str, Row] = {}
        self._test_sets: dict[Category, TestSet] = {}
        self._row_inputs: dict[tuple[Category, int, int], RowInput] = {}
        # Read once: what is measured is the code that was imported, whatever changes meanwhile.
        detector = digest({"weights": LITE0_SHA256}, detector_files())
        self._revisions = detector, digest({}, method_files())

    def finished(self, plans: Sequence[Plan]) -> dict[Plan, Cell]:
        """Those of the plans that were measured before with the same settings, code and weights."""
        known = {cell.identity: cell for cell in self.cells.read()}
        identities = {plan: self.identity(plan) for plan in plans}
        return {plan: known[i] for plan, i in identities.items() if i in known}

    def measure(self, plan: Plan, images: Sequence[Image.Image] | None = None) -> Cell:
        """Makes the row's training images, trains the detector and tests it; keeps the cell.

        Whoever has the row's images already may give them: then none are made, and `row_s` is 0.
        """
        test = self.test_set(plan.category)
        start = time.monotonic()
        images = self.training_images(plan) if images is None else images
        row_s = time.monotonic() - start
        start = time.monotonic()
        scores = self.scores(images, plan, test)
        pixel_auroc = pro = None
        if test.has_masks:
            if plan.seed == 0:
                self._keep_maps(plan, scores[0])
            pixel_auroc, pro = pixel_figures(test, scores)
        category, shots, seed, row, detector, key = self.identity(plan)
        cell = Cell(
            category=category,
            shots=shots,
            seed=seed,
            row=row,
            detector=detector,
            key=key,
            image_auroc=image_auroc(test, scores),
            pixel_auroc=pixel_auroc,
            pro=pro,
            num_train=len(images),
            row_s=round(row_s, 2),
            detector_s=round(time.monotonic() - start, 2),
        )
        self.cells.append(cell)
        return cell

    def _keep_maps(self, plan: Plan, scores: AnomalyScores) -> None:
        path = self.maps_file(plan)
        path.parent.mkdir(exist_ok=True)
        np.save(path, scores.patches.numpy())

    def maps_file(self, plan: Plan) -> Path:
        """Where the patch distances (B, h, w) of seed 0 are kept for the pictures."""
        row = plan.row.replace(":", "-")
        return self.folder / "maps" / f"{plan.category.name}-{plan.shots}-{row}.npy"

    def training_images(self, plan: Plan) -> list[Image.Image]:
        """The images that the plan's row trains on."""
        return (self.rows.get(plan.row) or find_row(plan.row))(self.row_input(plan))

    def row_input(self, plan: Plan) -> RowInput:
        """The plan's k real images and the settings, for a row; the same object for all rows."""
        draw = (plan.category, plan.shots, plan.seed)
        if draw not in self._row_inputs:
            self._row_inputs.clear()  # only the last is asked for again
            shots = plan.shots or len(plan.category.train)
            self._row_inputs[draw] = RowInput(
                images=[load_image(path) for path in plan.category.choose(shots, plan.seed)],
                object_name=plan.category.object_name,
                seed=plan.seed,
                train=plan.category.train,
                **{name: getattr(self.settings, name) for name in GENERATION_SETTINGS},
            )
        return self._row_inputs[draw]

    def scores(
        self, images: Sequence[Image.Image], plan: Plan, test: TestSet
    ) -> list[AnomalyScores]:
        """The test images' scores of detectors trained on `images`, one for each coreset drawn.

        Fewer patches than a coreset holds leave nothing to draw: then there is one detector.
        """
        patches = patchcore.extract(self.features, images)
        detector = PatchCore(
            self.features,
            coreset_size=self.settings.coreset_size,
            reweight=self.settings.reweight,
        )
        is_drawn = patches.shape[0] * patches.shape[1] > self.settings.coreset_size
        return [
            detector.fit_patches(patches, plan.seed + MAX_DRAWS * number).score(test.patches)
            for number in range(self.settings.num_coresets if is_drawn else 1)
        ]

    def test_set(self, category: Category) -> TestSet:
        """The category's test images; their features are extracted once and kept on the disk."""
        if category not in self._test_sets:
            self._test_sets.clear()  # cells come category by category, and one set is 40 MB
            self._test_sets[category] = read_test_set(
                category, self.features, self.folder / "features"
            )
        return self._test_sets[category]

    def identity(self, plan: Plan) -> tuple[str, int, int, str, str, str]:
        """What a cell of this plan is known by; another one after any change that matters."""
        settings = asdict(self.settings)
        detector, method = self._revisions
        if plan.row in PLAIN_ROWS:
            for name in GENERATION_SETTINGS:
                del settings[name]
            method, files = "", []
        else:
            spec = find_spec(row_module(plan.row))
            files = [Path(spec.origin)] if spec and spec.origin else []  # none: a plugged-in one
        images = [*plan.category.train, *(image.path for image in plan.category.test)]
        settings["images"] = [(path.name, path.stat().st_size) for path in images]
        key = digest(settings | {"detector": detector, "method": method}, files)
        return (plan.category.name, plan.shots, plan.seed, plan.row, self.settings.detector, key)


def image_auroc(test: TestSet, scores: Sequence[AnomalyScores]) -> float:
    """Mean over the coresets, in [0, 1]."""
    return float(np.mean([metrics.auroc(test.labels, s.images.numpy()) for s in scores]))


def pixel_figures(test: TestSet, scores: Sequence[AnomalyScores]) -> tuple[float, float]:
    """Pixel AUROC and PRO, each the mean over the coresets, in [0, 1]."""
    masks, figures = test.masks[test.with_mask], []
    for one in scores:
        maps = patchcore.anomaly_maps(one.patches[torch.from_numpy(test.with_mask)]).numpy()
        figures.append((metrics.pixel_auroc(masks, maps), metrics.pro(masks, maps)))
    pixel_auroc, pro = np.mean(figures, axis=0)
    return float(pixel_auroc), float(pro)
