"""Measures each row's images on each network, cell by cell."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor

from models.evaluation.cells import CellFile, detector_files, digest
from models.evaluation.data.dataset import Category, load_image
from models.evaluation.data.testset import TestSet, read_test_set
from models.evaluation.detector import patchcore
from models.evaluation.detector.networks import Network
from models.evaluation.detector.patchcore import PatchCore
from models.evaluation.experiment import (
    GENERATION_SETTINGS,
    MAX_DRAWS,
    Plan,
    Settings,
    image_auroc,
    pixel_figures,
)
from models.evaluation.fidelity import embedding, halves, precision_coverage
from models.evaluation.fidelity.cell import FidelityCell
from models.evaluation.fidelity.embedding import embed, pooled
from models.evaluation.fidelity.halves import Halves, draw_halves
from models.evaluation.fidelity.made_sets import MadeSet, MadeSets
from models.evaluation.fidelity.precision_coverage import coverage, neighbour_radii, precision
from models.evaluation.fidelity.rows import GIVEN, REAL_ROWS

NO_DETECTOR = "none"


@dataclass(frozen=True)
class Points:
    """A category's training images in one network, (N, 2 F), in the order of the files."""

    files: tuple[Path, ...]
    points: Tensor

    def of(self, files: Sequence[Path]) -> Tensor:
        """Those of some of the files."""
        return self.points[[self.files.index(file) for file in files]]


class FidelityTrial:
    """Measures cells; keeps finished ones, and the sets that rows made, in a folder.

    Args:
        folder: for cells.csv's sibling fidelity-cells.csv, `sets` and the test images' features.
        networks: what figures are taken on.
        settings: as for the table, but `num_images` is a set's size whatever k is.
    """

    def __init__(self, folder: Path, networks: Sequence[Network], settings: Settings):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.networks, self.settings = folder, networks, settings
        self.cells = CellFile(folder / "fidelity-cells.csv", FidelityCell)
        self.sets = MadeSets(folder / "sets", settings)
        self._points: dict[tuple[str, str], Points] = {}
        self._test_sets: dict[tuple[str, str], TestSet] = {}
        measuring = [Path(str(m.__file__)) for m in (embedding, halves, precision_coverage)]
        self._revision = digest({}, [*detector_files(), *measuring])

    def finished(self, plans: Sequence[Plan]) -> dict[Plan, list[FidelityCell]]:
        """The cells, one a network, of those plans that were measured before in the same way."""
        known = {cell.identity: cell for cell in self.cells.read()}
        wanted = {plan: self._identities(plan) for plan in plans}
        return {
            plan: [known[i] for i in identities]
            for plan, identities in wanted.items()
            if all(i in known for i in identities)
        }

    def measure(self, plan: Plan) -> list[FidelityCell]:
        """Has the row make its images and measures them on every network; keeps the cells."""
        drawn = draw_halves(plan.category, plan.shots, plan.seed)
        made = self.images(plan, drawn)
        cells = [
            self._cell(identity, network, plan, drawn, made)
            for identity, network in zip(self._identities(plan), self.networks, strict=True)
        ]
        self.cells.append(*cells)
        return cells

    def images(self, plan: Plan, drawn: Halves) -> MadeSet:
        """The row's own images; real ones as they are."""
        if plan.row in REAL_ROWS:
            files = drawn.given if plan.row == GIVEN else drawn.others
            return MadeSet([load_image(file) for file in files], 0.0)
        return self.sets.get(plan, drawn)

    def _cell(
        self,
        identity: tuple[str, int, int, str, str, str],
        network: Network,
        plan: Plan,
        drawn: Halves,
        made: MadeSet,
    ) -> FidelityCell:
        start = time.monotonic()
        reference = self._points_of(plan.category, network).of(drawn.reference)
        radii = neighbour_radii(reference)
        real = [load_image(file) for file in drawn.given]
        patches = patchcore.extract(network.features, [*real, *made.images])
        together = pooled(patches)
        generated = together[len(real) :]
        taught = patches[: len(real)] if plan.row == GIVEN else patches
        image_figure, pixel_figure, pro = self._detector_figures(network, plan, taught)
        category, shots, seed, row, name, key = identity
        return FidelityCell(
            category=category,
            shots=shots,
            seed=seed,
            row=row,
            network=name,
            key=key,
            precision=precision(generated, reference, radii),
            coverage=coverage(generated, reference, radii),
            coverage_with_given=coverage(together, reference, radii),
            image_auroc=image_figure,
            pixel_auroc=pixel_figure,
            pro=pro,
            num_images=len(made.images),
            row_s=made.seconds,
            measure_s=round(time.monotonic() - start, 2),
        )

    def _detector_figures(
        self, network: Network, plan: Plan, patches: Tensor
    ) -> tuple[float | None, float | None, float | None]:
        """Image AUROC, pixel AUROC and PRO after training on patches (B, P, F)."""
        if self.settings.detector == NO_DETECTOR:
            return None, None, None
        test = self._test_set(plan.category, network)
        size = self.settings.coreset_size
        detector = PatchCore(network.features, coreset_size=size, reweight=self.settings.reweight)
        is_drawn = patches.shape[0] * patches.shape[1] > size
        scores = [
            detector.fit_patches(patches, plan.seed + MAX_DRAWS * number).score(test.patches)
            for number in range(self.settings.num_coresets if is_drawn else 1)
        ]
        pixels = pixel_figures(test, scores) if test.has_masks else (None, None)
        return image_auroc(test, scores), *pixels

    def _points_of(self, category: Category, network: Network) -> Points:
        key = (category.name, network.name)
        if key not in self._points:
            self._forget_others(category)
            images = [load_image(path) for path in category.train]
            self._points[key] = Points(category.train, embed(network.features, images))
        return self._points[key]

    def _test_set(self, category: Category, network: Network) -> TestSet:
        key = (category.name, network.name)
        if key not in self._test_sets:
            self._forget_others(category)
            folder = self.folder / "features" / network.name
            folder.mkdir(parents=True, exist_ok=True)
            self._test_sets[key] = read_test_set(
                category, network.features, folder, revision=network.revision
            )
        return self._test_sets[key]

    def _forget_others(self, category: Category) -> None:
        """Plans come category by category, and one's test images are 140 MB."""
        for kept in (self._points, self._test_sets):
            for key in [key for key in kept if key[0] != category.name]:
                del kept[key]

    def _identities(self, plan: Plan) -> list[tuple[str, int, int, str, str, str]]:
        """What the cells of this plan are known by, one a network."""
        settings = {k: v for k, v in asdict(self.settings).items() if k not in GENERATION_SETTINGS}
        images = [*plan.category.train, *(image.path for image in plan.category.test)]
        settings["images"] = [(path.name, path.stat().st_size) for path in images]
        settings["code"] = self._revision
        settings["set"] = "" if plan.row in REAL_ROWS else self.sets.key(plan)
        return [
            (
                plan.category.name,
                plan.shots,
                plan.seed,
                plan.row,
                network.name,
                digest(settings | {"weights": network.revision}, []),
            )
            for network in self.networks
        ]
