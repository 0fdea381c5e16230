"""Means and paired differences of the cells, by category and over all of them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from models.evaluation.fidelity.cell import FIGURES, FidelityCell
from models.evaluation.fidelity.rows import GIVEN

MEAN = "mean"
BASELINES = (GIVEN, "augment")


@dataclass(frozen=True, order=True)
class Place:
    """Where a figure stands: `category` and `network` may be MEAN."""

    figure: str
    network: str
    shots: int
    row: str
    category: str


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation (0 for one value) over draws."""

    mean: float
    deviation: float
    num_draws: int


@dataclass(frozen=True)
class Entry:
    """A figure, and what it has more than each of BASELINES in the same draws, where measured."""

    value: Spread
    minus: dict[str, Spread]


def summarise(cells: Sequence[FidelityCell]) -> dict[Place, Entry]:
    """All figures that were measured.

    A row enters the mean over categories or over networks only if it was measured in all of them;
    the mean is taken draw by draw, and so its deviation is that of whole repetitions.
    """
    values: dict[Place, dict[int, float]] = {}
    for cell in cells:
        for figure in FIGURES:
            value = getattr(cell, figure)
            if value is not None:
                place = Place(figure, cell.network, cell.shots, cell.row, cell.category)
                values.setdefault(place, {})[cell.seed] = value
    values |= _means(values, "network")
    values |= _means(values, "category")
    return {place: _entry(place, values) for place in values}


def _means(values: dict[Place, dict[int, float]], over: str) -> dict[Place, dict[int, float]]:
    """Means over networks or categories, draw by draw, of what all of them have."""
    groups: dict[Place, dict[str, dict[int, float]]] = {}
    needed: dict[str, set[str]] = {}
    for place, draws in values.items():
        whole = {**vars(place), over: MEAN}
        groups.setdefault(Place(**whole), {})[getattr(place, over)] = draws
        needed.setdefault(place.figure, set()).add(getattr(place, over))
    means: dict[Place, dict[int, float]] = {}
    for place, members in groups.items():
        seeds = set.intersection(*(set(draws) for draws in members.values()))
        if len(members) == len(needed[place.figure]) > 1 and seeds:
            means[place] = {
                seed: statistics.fmean(draws[seed] for draws in members.values())
                for seed in sorted(seeds)
            }
    return means


def _entry(place: Place, values: dict[Place, dict[int, float]]) -> Entry:
    draws, minus = values[place], {}
    for baseline in BASELINES:
        base = values.get(Place(**{**vars(place), "row": baseline}), {})
        paired = [draws[seed] - base[seed] for seed in draws if seed in base]
        if paired and place.row != baseline:
            minus[baseline] = _spread(paired)
    return Entry(_spread(list(draws.values())), minus)


def _spread(values: Sequence[float]) -> Spread:
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return Spread(statistics.fmean(values), deviation, len(values))
