"""One run of the command: reads the data, wires the experiment, writes the wanted page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.evaluation.experiment import Experiment, Settings, plan
from models.evaluation.rows import PLAIN_ROWS, ROWS, find_row
from models.evaluation.table import read_categories, write_table
from models.patch_features import load_patch_features

__all__ = ["Settings", "Wish", "run"]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What to measure.

    Attributes:
        data: sources as `read_dataset` takes them.
        shots: numbers of real images.
        num_seeds: draws of the real images.
        rows: names of rows; None is all of them.
        max_test_images: at most so many good and so many defective ones; None is all.
        kind: the rows' table, the guard on planted defects, or the correlation study.
    """

    data: Sequence[str]
    shots: Sequence[int] = (1,)
    num_seeds: int = 3
    rows: Sequence[str] | None = None
    max_test_images: int | None = 40
    kind: Literal["table", "guard", "study"] = "table"


def run(settings: Settings, wish: Wish, folder: Path) -> Path:
    """Measures and writes into `folder`; returns the page to read.

    Raises:
        ValueError: no data, an unknown row, or more shots than training images.
    """
    categories = read_categories(wish.data, max_test_images=wish.max_test_images)
    rows = wish.rows or ROWS
    for name in wish.rows or ():
        find_row(name)
    experiment = Experiment(folder, load_patch_features(), settings)
    if wish.kind == "table":
        return write_table(experiment, plan(categories, rows, wish.shots, wish.num_seeds))
    # Loaded with the pipeline, which a table of plain rows does without.
    from models.evaluation import trials  # noqa: PLC0415

    if wish.kind == "guard":
        plans = plan(categories, ["goodmany"], wish.shots, wish.num_seeds)
        return trials.run_guard(experiment, plans)
    generating = [row for row in rows if row not in PLAIN_ROWS]
    return trials.run_study(experiment, plan(categories, generating, wish.shots, wish.num_seeds))
