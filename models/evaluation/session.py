"""One run of the command: reads the data, wires the experiment, writes the wanted page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.evaluation.experiment import Experiment, Settings, plan
from models.evaluation.rows.plain import PLAIN_ROWS, ROWS, find_row
from models.evaluation.table import read_categories, write_table
from models.features.patches import load_patch_features

__all__ = ["EvaluationRequest", "Settings", "run"]


@dataclass(frozen=True, kw_only=True)
class EvaluationRequest:
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


def run(settings: Settings, request: EvaluationRequest, folder: Path) -> Path:
    """Measures and writes into `folder`; returns the page to read.

    Raises:
        ValueError: no data, an unknown row, or more shots than training images.
    """
    categories = read_categories(request.data, max_test_images=request.max_test_images)
    rows = request.rows or ROWS
    for name in request.rows or ():
        find_row(name)
    experiment = Experiment(folder, load_patch_features(), settings)
    if request.kind == "table":
        return write_table(experiment, plan(categories, rows, request.shots, request.num_seeds))
    # Loaded with the pipeline, which a table of plain rows does without.
    from models.evaluation import trials  # noqa: PLC0415

    if request.kind == "guard":
        plans = plan(categories, ["goodmany"], request.shots, request.num_seeds)
        return trials.run_guard(experiment, plans)
    generating = [row for row in rows if row not in PLAIN_ROWS]
    return trials.run_study(
        experiment, plan(categories, generating, request.shots, request.num_seeds)
    )
