"""A whole trial with a progress bar: cells, pages, contact sheets."""

from collections.abc import Sequence
from pathlib import Path

from models.evaluation.data.dataset import Category, load_image
from models.evaluation.experiment import Plan
from models.evaluation.fidelity.contact_sheet import contact_sheet
from models.evaluation.fidelity.halves import draw_halves
from models.evaluation.fidelity.report import write_csv, write_markdown
from models.evaluation.fidelity.rows import REAL_ROWS
from models.evaluation.fidelity.trial import FidelityTrial
from models.evaluation.table import progress_bar


def write_fidelity(trial: FidelityTrial, plans: Sequence[Plan], command: str) -> Path:
    """Measures the cells that are missing; writes fidelity.csv, fidelity.md and the sheets.

    A category's sheet is there as soon as its cells are.

    Returns:
        The Markdown file.
    """
    finished = trial.finished(plans)
    sheets: list[Path] = []
    with progress_bar() as progress:
        task = progress.add_task("", total=len(plans), completed=len(finished))
        for category in dict.fromkeys(plan.category for plan in plans):
            wanted = [plan for plan in plans if plan.category == category]
            for plan in wanted:
                if plan not in finished:
                    progress.update(task, description=f"{category.name}, {plan.shots}, {plan.row}")
                    finished[plan] = trial.measure(plan)
                    progress.advance(task)
            sheets += write_sheets(trial, category, wanted)
    cells = [cell for plan in plans for cell in finished[plan]]
    write_csv(trial.folder / "fidelity.csv", cells)
    page = trial.folder / "fidelity.md"
    write_markdown(page, cells, trial.networks, command=command, sheets=sheets)
    return page


def write_sheets(trial: FidelityTrial, category: Category, plans: Sequence[Plan]) -> list[Path]:
    """One sheet a number of given images, of the first draw's sets."""
    files = []
    for shots in dict.fromkeys(plan.shots for plan in plans):
        drawn = draw_halves(category, shots, seed=0)
        columns = {
            "given": [load_image(file) for file in drawn.given],
            "real others": [load_image(file) for file in drawn.others],
        }
        for plan in plans:
            if (plan.shots, plan.seed) == (shots, 0) and plan.row not in REAL_ROWS:
                columns[plan.row] = list(trial.images(plan, drawn).images)
        files.append(trial.folder / f"sheet-{category.name}-{shots}.png")
        given = f"{shots} image{'s' if shots > 1 else ''} given"
        contact_sheet(f"{category.object_name}, {given}", columns).save(files[-1])
    return files
