"""Finished cells summed up as a table, in CSV and in Markdown."""

import csv
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.evaluation.cells import Cell

FIGURES = ("image_auroc", "pixel_auroc", "pro")
BASELINES = ("real", "augment")
MEAN = "mean"
COMPARISONS = ("minus real", "minus augment", "worst minus real", "way to full")
Key = tuple[str, int, str]  # category, shots, row


@dataclass(frozen=True)
class Figure:
    """Mean and standard deviation of one figure over the seeds, and differences of the mean.

    Attributes:
        deviation: sample standard deviation over seeds; 0 for one seed.
        differences: to the rows of BASELINES, where they were measured.
    """

    mean: float
    deviation: float
    differences: dict[str, float]


def summarise(cells: Sequence[Cell], figure: str) -> dict[Key, Figure]:
    """One figure for each category, number of shots and row, and "mean" over the categories.

    A row enters the mean over categories only if it was measured in all of them. The row `full`
    appears under 0 shots.
    """
    values: dict[Key, dict[int, float]] = {}
    for cell in cells:
        value = getattr(cell, figure)
        if value is not None:
            values.setdefault((cell.category, cell.shots, cell.row), {})[cell.seed] = value
    categories = {category for category, _, _ in values}
    for shots, row in dict.fromkeys((shots, row) for _, shots, row in values):
        present = [values[c, shots, row] for c in categories if (c, shots, row) in values]
        if len(categories) > 1 and len(present) == len(categories):
            seeds = set.intersection(*(set(v) for v in present))
            values[MEAN, shots, row] = {
                s: statistics.fmean(v[s] for v in present) for s in sorted(seeds)
            }
    means = {key: statistics.fmean(v.values()) for key, v in values.items() if v}
    return {
        (category, shots, row): Figure(
            mean,
            statistics.stdev(values[category, shots, row].values())
            if len(values[category, shots, row]) > 1
            else 0.0,
            {
                b: mean - means[category, shots, b]
                for b in BASELINES
                if (category, shots, b) in means and row != b
            },
        )
        for (category, shots, row), mean in means.items()
    }


def write_csv(path: Path, cells: Sequence[Cell]) -> None:
    """Writes the summary of every figure, one line a category, number of shots and row."""
    names = ["figure", "category", "shots", "row", "mean", "deviation"]
    names += [f"minus_{baseline}" for baseline in BASELINES]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        for figure in FIGURES:
            for (category, shots, row), value in summarise(cells, figure).items():
                line = {"figure": figure, "category": category, "shots": shots, "row": row}
                line |= {"mean": f"{value.mean:.4f}", "deviation": f"{value.deviation:.4f}"}
                line |= {f"minus_{b}": f"{d:.4f}" for b, d in value.differences.items()}
                writer.writerow(line)


def markdown(cells: Sequence[Cell], figure: str) -> str:
    """One figure as tables, one a number of shots: rows against categories, then comparisons.

    Beneath a table's own rows stand, for comparison, `real` with more images and `full`.
    """
    summary = summarise(cells, figure)
    categories = [c for c in dict.fromkeys(c for c, _, _ in summary) if c != MEAN]
    columns = [*categories, MEAN] if any(c == MEAN for c, _, _ in summary) else categories
    lines = []
    all_shots = sorted({shots for _, shots, _ in summary if shots}) or [0]
    for shots in all_shots if summary else ():
        more = [(k, row) for _, k, row in summary if (row == "real" and k > shots) or k == 0]
        keys = list(dict.fromkeys([(k, row) for _, k, row in summary if k == shots] + more))
        lines += [f"### {figure}, {shots} real image{'s' if shots > 1 else ''}", ""]
        lines.append(f"| row | {' | '.join((*columns, *COMPARISONS))} |")
        lines.append("|---" * (1 + len(columns) + len(COMPARISONS)) + "|")
        for k, row in keys:
            name = row if k in {0, shots} else f"{row}, {k} images"
            texts = [_text(summary.get((column, k, row))) for column in columns]
            means = {c: summary[c, k, row].mean for c in columns if (c, k, row) in summary}
            base = {r: _means(summary, columns, shots, r) for r in BASELINES}
            full = _means(summary, columns, 0, "full")
            texts += _comparisons(means, base["real"], base["augment"], full, columns[-1])
            lines.append(f"| {name} | {' | '.join(texts)} |")
        lines.append("")
    return "\n".join(lines)


def _means(
    summary: dict[Key, Figure], columns: Sequence[str], shots: int, row: str
) -> dict[str, float]:
    return {c: summary[c, shots, row].mean for c in columns if (c, shots, row) in summary}


def _comparisons(
    means: dict[str, float],
    real: dict[str, float],
    augment: dict[str, float],
    full: dict[str, float],
    last: str,
) -> list[str]:
    """The texts under COMPARISONS, taken in the last column but for the worst category's."""
    texts = [
        f"{means[last] - base[last]:+.3f}" if last in means and last in base else ""
        for base in (real, augment)
    ]
    losses = [means[c] - real[c] for c in means if c in real and c != MEAN]
    texts.append(f"{min(losses):+.3f}" if losses else "")
    known = last in means and last in real and last in full
    way = full[last] - real[last] if known else 0.0
    texts.append(f"{(means[last] - real[last]) / way:.0%}" if way > 0 else "")
    return texts


def _text(figure: Figure | None) -> str:
    if figure is None:
        return ""
    deviation = f" ± {figure.deviation:.3f}" if figure.deviation else ""
    return f"{figure.mean:.3f}{deviation}"


def write_markdown(path: Path, cells: Sequence[Cell]) -> None:
    """Writes the tables of all figures that were measured."""
    seconds = sum(cell.row_s + cell.detector_s for cell in cells)
    parts = [markdown(cells, figure) for figure in FIGURES]
    note = f"{len(cells)} cells, {seconds / 60:.1f} minutes. Mean ± standard deviation over seeds."
    path.write_text("\n".join(["# Evaluation", "", note, "", *filter(None, parts)]))
