"""Measures a whole table, cell by cell and resumable, and writes it down, with plots."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from models.evaluation.cells import Cell
from models.evaluation.data.dataset import Category, load_image, read_dataset
from models.evaluation.detector.patchcore import anomaly_maps
from models.evaluation.experiment import Experiment, Plan
from models.evaluation.report.plots import plot_bars, plot_maps
from models.evaluation.report.summary import write_csv, write_markdown

NUM_PICTURES = 4
ROWS_IN_PICTURES = ("full", "real", "augment", "goodmany")


def read_categories(data: Sequence[str], *, max_test_images: int | None) -> list[Category]:
    """The categories of several sources, as `read_dataset` reads each."""
    return [
        category
        for source in data
        for category in read_dataset(source, max_test_images=max_test_images)
    ]


def progress_bar() -> Progress:
    """A bar on standard error with a text, a count and the time."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True))


def write_table(experiment: Experiment, plans: Sequence[Plan]) -> Path:
    """Measures the cells that are missing; writes results.csv, results.md and the plots.

    Returns:
        The Markdown file.
    """
    finished = experiment.finished(plans)
    with progress_bar() as progress:
        task = progress.add_task("", total=len(plans), completed=len(finished))
        for plan in plans:
            if plan not in finished:
                name = f"{plan.category.name}, {plan.shots or 'all'} real, {plan.row}"
                progress.update(task, description=name)
                finished[plan] = experiment.measure(plan)
                progress.advance(task)
    cells = [finished[plan] for plan in plans]
    write_csv(experiment.folder / "results.csv", cells)
    write_markdown(experiment.folder / "results.md", cells)
    _plot(experiment, plans, cells)
    return experiment.folder / "results.md"


def _plot(experiment: Experiment, plans: Sequence[Plan], cells: Sequence[Cell]) -> None:
    all_shots = sorted({plan.shots for plan in plans if plan.shots})
    for shots in all_shots:
        plot_bars(experiment.folder / f"image_auroc-{shots}.png", cells, shots)
    for category in dict.fromkeys(plan.category for plan in plans):
        for shots in all_shots:
            shown = [p for p in plans if p.category == category and p.shots in {0, shots}]
            _plot_maps(experiment, category, shown, f"maps-{category.name}-{shots}.png")


def _plot_maps(
    experiment: Experiment, category: Category, plans: Sequence[Plan], name: str
) -> None:
    files = {
        plan.row: experiment.maps_file(plan)
        for plan in plans
        if plan.row in ROWS_IN_PICTURES and plan.seed == 0
    }
    files = {row: file for row, file in files.items() if file.exists()}
    if not files:
        return
    masks = experiment.test_set(category).masks
    # By defect, so that a few pictures show several kinds.
    drawn = sorted(np.flatnonzero(masks.any(axis=(1, 2))), key=lambda i: category.test[i].defect)
    chosen = [int(drawn[i * len(drawn) // NUM_PICTURES]) for i in range(NUM_PICTURES)]
    chosen = list(dict.fromkeys(chosen))
    images = [load_image(category.test[i].path) for i in chosen]
    maps = {
        row: anomaly_maps(torch.from_numpy(np.load(file)[chosen])).numpy()
        for row, file in files.items()
    }
    plot_maps(experiment.folder / name, images, masks[chosen], maps)
