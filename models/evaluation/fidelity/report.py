"""The pages of a fidelity trial: fidelity.csv with every figure, fidelity.md to be read."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from models.evaluation.detector.networks import Network
from models.evaluation.fidelity.cell import FIGURES, FidelityCell
from models.evaluation.fidelity.summary import BASELINES, MEAN, Entry, Place, Spread, summarise

EXPLANATION = """\
Precision: share of a row's images that lie within the radius of one of the reference images A, real
ones that nothing was made from; the radius is the distance to its 5th neighbour in A, in a
network's mean and deviation of patch features. Coverage: share of A with one of the row's images
within its radius; "with given": with the given images beside the row's, as a detector gets them.
`real-half` is the other real half B, the ceiling; `given` the floor of coverage. AUROC is that of a
PatchCore with a greedy coreset, trained on the given and the row's images. Figures are means over
draws of the given images and of the halves, ± their standard deviation; differences are taken draw
by draw."""
PAIR = ("precision", "coverage")
TITLES = {
    "precision": "precision",
    "coverage": "coverage",
    "coverage_with_given": "coverage with given",
    "image_auroc": "image AUROC",
    "pixel_auroc": "pixel AUROC",
    "pro": "PRO",
}


def write_csv(path: Path, cells: Sequence[FidelityCell]) -> None:
    """One line a figure, network, number of given images, row and category."""
    names = ["figure", "network", "shots", "row", "category", "mean", "deviation", "num_draws"]
    for baseline in BASELINES:
        names += [f"minus_{baseline}", f"minus_{baseline}_deviation"]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        for place, entry in summarise(cells).items():
            line: dict[str, object] = {**vars(place), "num_draws": entry.value.num_draws}
            line |= {"mean": f"{entry.value.mean:.4f}"}
            line |= {"deviation": f"{entry.value.deviation:.4f}"}
            for baseline, spread in entry.minus.items():
                line[f"minus_{baseline}"] = f"{spread.mean:.4f}"
                line[f"minus_{baseline}_deviation"] = f"{spread.deviation:.4f}"
            writer.writerow(line)


def write_markdown(
    path: Path,
    cells: Sequence[FidelityCell],
    networks: Sequence[Network],
    *,
    command: str,
    sheets: Sequence[Path] = (),
) -> None:
    """The tables, with the command that made them and the contact sheets beside them."""
    summary = summarise(cells)
    seconds = sum(cell.row_s + cell.measure_s for cell in cells)
    lines = ["# Do the images look like what the line makes?", "", "```sh", command, "```", ""]
    lines += [EXPLANATION, ""]
    names = ", ".join(f"{network.name} ({network.revision[:12]})" for network in networks)
    lines += [f"{len(cells)} cells, {seconds / 60:.1f} minutes. Networks: {names}.", ""]
    for shots in sorted({cell.shots for cell in cells}):
        plural = "s" if shots > 1 else ""
        lines += [f"## {shots} real image{plural}", ""]
        here = {place: entry for place, entry in summary.items() if place.shots == shots}
        lines += overall_table(here) + category_tables(here)
    if sheets:
        lines += ["## Contact sheets", ""]
        lines += [f"![{sheet.stem}]({sheet.name})\n" for sheet in sheets]
    path.write_text("\n".join(lines))


def overall_table(summary: Mapping[Place, Entry]) -> list[str]:
    """Means over all categories, or the only one's, with paired differences; by network."""
    categories = _names(summary, "category")
    whole = categories[-1]
    title = "Mean of the categories" if whole == MEAN else whole
    networks = _networks(summary)
    differences = [f"minus {baseline}" for baseline in BASELINES]
    lines = [f"### {title}", ""]
    for figure in _figures(summary):
        lines += [f"**{TITLES[figure]}**", ""]
        lines += _head(["row", networks[0], *differences, *networks[1:]])
        for row in _names(summary, "row"):
            first, *others = (_find(summary, figure, n, row, whole) for n in networks)
            texts = [_value(first), *(_difference(first, baseline) for baseline in BASELINES)]
            lines.append(_line([row, *texts, *map(_value, others)]))
        lines.append("")
    return lines


def category_tables(summary: Mapping[Place, Entry]) -> list[str]:
    """For each network: precision / coverage, then the other figures, a column a category."""
    categories = _names(summary, "category")
    lines: list[str] = []
    if len(categories) == 1:
        return lines
    for network in _networks(summary):
        where = "Mean of the networks" if network == MEAN else network
        lines += [f"### {where}, by category", "", "**precision / coverage**", ""]
        lines += _head(["row", *categories])
        for row in _names(summary, "row"):
            pairs = []
            for category in categories:
                pair = [_find(summary, figure, network, row, category) for figure in PAIR]
                pairs.append(" / ".join(f"{e.value.mean:.2f}" for e in pair if e))
            lines.append(_line([row, *pairs]))
        lines.append("")
        for figure in _figures(summary):
            if figure not in PAIR:
                lines += _figure_table(summary, figure, network, categories)
    for figure in ("coverage_with_given", "image_auroc"):
        if figure in _figures(summary):
            lines += _difference_table(summary, figure, categories)
    return lines


def _figure_table(
    summary: Mapping[Place, Entry], figure: str, network: str, categories: Sequence[str]
) -> list[str]:
    lines = [f"**{TITLES[figure]}**", "", *_head(["row", *categories])]
    for row in _names(summary, "row"):
        entries = [_find(summary, figure, network, row, category) for category in categories]
        lines.append(_line([row, *map(_value, entries)]))
    return [*lines, ""]


def _difference_table(
    summary: Mapping[Place, Entry], figure: str, categories: Sequence[str]
) -> list[str]:
    network = _networks(summary)[0]
    title = f"### {TITLES[figure]} minus that of {' / of '.join(BASELINES)}, draw by draw"
    lines = [title, "", *_head(["row", *categories])]
    for row in _names(summary, "row"):
        texts = []
        for category in categories:
            entry = _find(summary, figure, network, row, category)
            texts.append(" / ".join(_difference(entry, b) or "-" for b in BASELINES))
        lines.append(_line([row, *texts]))
    return [*lines, ""]


def _find(
    summary: Mapping[Place, Entry], figure: str, network: str, row: str, category: str
) -> Entry | None:
    shots = next(iter(summary)).shots
    return summary.get(Place(figure, network, shots, row, category))


def _names(summary: Mapping[Place, Entry], part: str) -> list[str]:
    """Categories, rows or networks in the order of the cells, the mean last."""
    names = dict.fromkeys(str(getattr(place, part)) for place in summary)
    return sorted(names, key=lambda name: name == MEAN)


def _networks(summary: Mapping[Place, Entry]) -> list[str]:
    """The mean first: it is what is read first."""
    names = _names(summary, "network")
    return [names[-1], *names[:-1]] if names[-1] == MEAN else names


def _figures(summary: Mapping[Place, Entry]) -> list[str]:
    return [figure for figure in FIGURES if any(place.figure == figure for place in summary)]


def _head(columns: Sequence[str]) -> list[str]:
    return [_line(columns), "|---" * len(columns) + "|"]


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _value(entry: Entry | None) -> str:
    return _text(entry.value, "") if entry else ""


def _difference(entry: Entry | None, baseline: str) -> str:
    spread = entry.minus.get(baseline) if entry else None
    return _text(spread, "+") if spread else ""


def _text(spread: Spread, sign: str) -> str:
    deviation = f" ± {spread.deviation:.3f}" if spread.num_draws > 1 else ""
    return f"{spread.mean:{sign}.3f}{deviation}"
