"""Sets of images that a row made, kept as files: no change of the yardstick makes them anew."""

import json
import math
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from models.evaluation.cells import digest, method_files
from models.evaluation.data.dataset import load_image
from models.evaluation.experiment import GENERATION_SETTINGS, Plan, Settings
from models.evaluation.fidelity.halves import Halves
from models.evaluation.fidelity.rows import find_making_row
from models.evaluation.rows import moved, plain
from models.evaluation.rows.plain import RowInput, row_module

TIME_FILE = "seconds.json"


@dataclass(frozen=True)
class MadeSet:
    """What a row made of the given images, without them, and how long that took."""

    images: Sequence[Image.Image]
    seconds: float


class MadeSets:
    """Makes sets and keeps them in a folder, one folder a set."""

    def __init__(self, folder: Path, settings: Settings):
        self.folder, self.settings = folder, settings
        # Read once: what made the images is the code that was imported, whatever changes meanwhile.
        self._recipes = digest({}, [Path(str(module.__file__)) for module in (moved, plain)])
        self._method = digest({}, method_files())
        self._row_inputs: dict[tuple[str, int, int], RowInput] = {}

    def key(self, plan: Plan) -> str:
        """What a set is known by besides its plan: settings, code and weights that it came from."""
        settings = asdict(self.settings)
        wanted = {name: settings[name] for name in GENERATION_SETTINGS}
        if plan.row in moved.MOVED_ROWS:
            return digest({name: wanted[name] for name in ("num_images", "image_size")}, []) + (
                self._recipes
            )
        spec = find_spec(row_module(plan.row))
        files = [Path(spec.origin)] if spec and spec.origin else []
        return digest(wanted | {"method": self._method}, files)

    def get(self, plan: Plan, halves: Halves) -> MadeSet:
        """The plan's set, made now or before."""
        parts = (plan.category.name, str(plan.shots), str(plan.seed), plan.row.replace(":", "-"))
        folder = self.folder / f"{'-'.join(parts)}-{self.key(plan)}"
        if not folder.exists():
            self._make(plan, halves, folder)
        files = sorted(folder.glob("*.png"))
        seconds = json.loads((folder / TIME_FILE).read_text())
        return MadeSet([load_image(file) for file in files], seconds)

    def _make(self, plan: Plan, halves: Halves, folder: Path) -> None:
        start = time.monotonic()
        data = self.row_input(plan, halves)
        made = find_making_row(plan.row)(data)[len(data.images) :]
        seconds = round(time.monotonic() - start, 2)
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        # Sources take turns, so that what is cut off is cut off evenly.
        for number, image in enumerate(made[: self.settings.num_images]):
            image.save(partial / f"{number:03}.png")
        (partial / TIME_FILE).write_text(json.dumps(seconds))
        partial.rename(folder)

    def row_input(self, plan: Plan, halves: Halves) -> RowInput:
        """The given images and the settings for a row; one object for all rows of a draw."""
        draw = (plan.category.name, plan.shots, plan.seed)
        if draw not in self._row_inputs:
            self._row_inputs.clear()  # only the last is asked for again
            settings = {name: getattr(self.settings, name) for name in GENERATION_SETTINGS}
            settings["num_images"] = math.ceil(self.settings.num_images / plan.shots)
            self._row_inputs[draw] = RowInput(
                images=[load_image(path) for path in halves.given],
                object_name=plan.category.object_name,
                seed=plan.seed,
                train=(),
                **settings,
            )
        return self._row_inputs[draw]
