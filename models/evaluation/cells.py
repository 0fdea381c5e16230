"""Finished measurements, kept so that a stopped evaluation goes on where it was."""

import csv
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import models

ROOT = Path(models.__file__).parent
WEIGHT_SUFFIXES = {".safetensors", ".json"}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One training set measured by one detector.

    Attributes:
        shots: number of real images; 0 for the row `full`, which takes them all.
        key: digest of the settings, the code and the weights that the figures come from.
        image_auroc: in [0, 1]; so are `pixel_auroc` and `pro`, which are None without masks.
        num_train: images that the detector was trained on.
        row_s, detector_s: seconds for making the training images, and for training and scoring.
    """

    category: str
    shots: int
    seed: int
    row: str
    detector: str
    key: str
    image_auroc: float
    pixel_auroc: float | None
    pro: float | None
    num_train: int
    row_s: float
    detector_s: float

    @property
    def identity(self) -> tuple[str, int, int, str, str, str]:
        """What makes measuring again pointless."""
        return (self.category, self.shots, self.seed, self.row, self.detector, self.key)


class FlatRecord(Protocol):
    """A dataclass whose fields are of type str, int, float or `float | None`."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


C = TypeVar("C", bound=FlatRecord)


class CellFile(Generic[C]):
    """An append-only CSV file of cells; each is on the disk before the next one starts."""

    def __init__(self, path: Path, kind: type[C]):
        self.path, self.kind = path, kind

    def read(self) -> list[C]:
        """All cells; none if there is no file yet. A line cut short by a kill is left out."""
        if not self.path.exists():
            return []
        # The last line counts only once its line feed is written.
        complete, _, _ = self.path.read_text().rpartition("\n")
        return [self._parse(record) for record in csv.DictReader(complete.splitlines())]

    def append(self, *cells: C) -> None:
        """Adds cells."""
        names = [field.name for field in fields(self.kind)]
        text = self.path.read_text() if self.path.exists() else ""
        if not text.endswith("\n"):
            text = text[: text.rfind("\n") + 1]
            self.path.write_text(text)
        with self.path.open("a", newline="") as file:
            writer = csv.DictWriter(file, names, lineterminator="\n")
            if not text:
                writer.writeheader()
            writer.writerows(asdict(cell) for cell in cells)

    def _parse(self, record: dict[str, str]) -> C:
        return self.kind(**{f.name: _value(f.type, record[f.name]) for f in fields(self.kind)})


def _value(kind: Any, text: str) -> str | int | float | None:
    if kind == (float | None):
        return float(text) if text else None
    return kind(text)


def digest(settings: dict[str, object], files: Iterable[Path]) -> str:
    """A short name for these settings together with these files' contents."""
    state = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for path in sorted(files):
        state.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return state.hexdigest()[:12]


def method_files() -> list[Path]:
    """Code and weights that generated images depend on; no model card with its pictures."""
    code = (
        path
        for path in ROOT.rglob("*.py")
        if path.relative_to(ROOT).parts[0] not in {"evaluation", "training"}
    )
    weights = (p for p in (ROOT / "weights").rglob("*") if p.suffix in WEIGHT_SUFFIXES)
    return [*code, *weights]


def detector_files() -> list[Path]:
    """Code that every figure depends on, of plain rows too: features, detector, data."""
    evaluation = ROOT / "evaluation"
    folders = (ROOT / "features", evaluation / "detector", evaluation / "data")
    others = (
        ROOT / "runtime" / "device_memory.py",
        evaluation / "experiment.py",
        evaluation / "rows" / "plain.py",
    )
    return [*(path for folder in folders for path in folder.glob("*.py")), *others]
