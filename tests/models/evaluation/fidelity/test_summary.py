import dataclasses

import pytest

from models.evaluation.fidelity.cell import FidelityCell
from models.evaluation.fidelity.summary import MEAN, Place, summarise

CELL = FidelityCell(
    category="nut",
    shots=1,
    seed=0,
    row="given",
    network="a",
    key="abc",
    precision=0.5,
    coverage=0.5,
    coverage_with_given=0.5,
    image_auroc=0.5,
    pixel_auroc=None,
    pro=None,
    num_images=1,
    row_s=0.0,
    measure_s=1.5,
)


def cell(category: str, network: str, row: str, seed: int, value: float) -> FidelityCell:
    changes = {"category": category, "network": network, "row": row, "seed": seed}
    return dataclasses.replace(CELL, coverage=value, **changes)


CELLS = [
    cell("nut", "a", "given", 0, 0.1),
    cell("nut", "a", "given", 1, 0.3),
    cell("nut", "b", "given", 0, 0.3),
    cell("nut", "b", "given", 1, 0.5),
    cell("nut", "a", "small", 0, 0.2),
    cell("nut", "a", "small", 1, 0.6),
    cell("nut", "b", "small", 0, 0.4),
    cell("nut", "b", "small", 1, 0.8),
    cell("pill", "a", "given", 0, 0.5),
    cell("pill", "a", "given", 1, 0.5),
    cell("pill", "b", "given", 0, 0.7),
    cell("pill", "b", "given", 1, 0.7),
]


def entry(row: str, *, network: str = MEAN, category: str = MEAN, cells=CELLS):
    return summarise(cells).get(Place("coverage", network, 1, row, category))


def test_a_difference_is_that_of_the_same_draws():
    small = entry("small", network="a", category="nut")
    assert small.value.mean == pytest.approx(0.4)
    assert small.value.deviation == pytest.approx(0.08**0.5)
    # +0.1 and +0.3: less spread than the draws themselves have.
    assert small.minus["given"].mean == pytest.approx(0.2)
    assert small.minus["given"].deviation == pytest.approx(0.02**0.5)
    assert small.minus["given"].num_draws == 2
    assert "augment" not in small.minus


def test_means_over_networks_and_categories_are_taken_draw_by_draw():
    networks = entry("given", category="nut")
    assert networks.value.mean == pytest.approx(0.3)
    assert networks.value.deviation == pytest.approx(0.02**0.5)
    both = entry("given")
    assert both.value.mean == pytest.approx((0.3 + 0.6) / 2)
    assert both.value.deviation == pytest.approx(0.005**0.5)


def test_a_row_that_a_category_lacks_has_no_mean_over_them():
    assert entry("small") is None
    assert entry("small", category="nut") is not None


def test_a_baseline_is_not_compared_with_itself():
    assert entry("given").minus == {}


def test_a_figure_that_nobody_measured_has_no_place():
    assert {place.figure for place in summarise(CELLS)} == {
        "precision",
        "coverage",
        "coverage_with_given",
        "image_auroc",
    }


def test_one_network_has_no_mean_of_networks():
    one = [c for c in CELLS if c.network == "a"]
    assert entry("given", cells=one) is None
    assert entry("given", network="a", cells=one) is not None
