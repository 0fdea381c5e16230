"""Measures a whole table with a progress bar and writes it down."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from models.evaluation.dataset import Category, read_dataset
from models.evaluation.experiment import Experiment, Plan, Settings, plan
from models.evaluation.report import write_csv, write_markdown
from models.patch_features import load_patch_features

__all__ = ["Settings", "plan", "read_categories", "write_table"]


def read_categories(data: Sequence[str], *, max_test_images: int | None) -> list[Category]:
    """The categories of several sources, as `read_dataset` reads each."""
    return [
        category
        for source in data
        for category in read_dataset(source, max_test_images=max_test_images)
    ]


def write_table(plans: Sequence[Plan], settings: Settings, folder: Path) -> str:
    """Measures what is missing and writes `results.csv` and `results.md`; returns the latter."""
    experiment = Experiment(folder, load_patch_features(), settings)
    finished = experiment.finished(plans)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=len(plans), completed=len(finished))
        for current in plans:
            if current in finished:
                continue
            name = f"{current.category.name} {current.shots}-shot {current.row}"
            progress.update(task, description=name)
            finished[current] = experiment.measure(current)
            progress.advance(task)
    cells = [finished[p] for p in plans]
    write_csv(folder / "results.csv", cells)
    write_markdown(folder / "results.md", cells)
    return (folder / "results.md").read_text()
