import csv
import dataclasses

import pytest

from models.evaluation.report.summary import MEAN, markdown, summarise, write_csv
from tests.models.evaluation.test_cells import CELL


def cell(category: str, shots: int, seed: int, row: str, value: float):
    changes = {"category": category, "shots": shots, "seed": seed, "row": row}
    return dataclasses.replace(CELL, image_auroc=value, **changes)


CELLS = [
    cell("nut", 0, 0, "full", 1.0),
    cell("nut", 1, 0, "real", 0.5),
    cell("nut", 1, 1, "real", 0.7),
    cell("nut", 1, 0, "augment", 0.8),
    cell("nut", 1, 1, "augment", 0.9),
    cell("pill", 0, 0, "full", 0.9),
    cell("pill", 1, 0, "real", 0.9),
    cell("pill", 1, 1, "real", 0.9),
]


def test_mean_deviation_and_differences_by_hand():
    summary = summarise(CELLS, "image_auroc")
    real, augment = summary["nut", 1, "real"], summary["nut", 1, "augment"]
    assert real.mean == pytest.approx(0.6)
    assert real.deviation == pytest.approx(0.02**0.5)
    assert real.differences == {"augment": pytest.approx(-0.25)}
    assert augment.differences == {"real": pytest.approx(0.25)}
    assert summary["nut", 0, "full"].deviation == 0.0


def test_the_mean_over_categories_is_taken_seed_by_seed():
    mean = summarise(CELLS, "image_auroc")[MEAN, 1, "real"]
    assert mean.mean == pytest.approx((0.7 + 0.8) / 2)
    assert mean.deviation == pytest.approx(0.005**0.5)


def test_a_row_that_a_category_lacks_has_no_mean():
    assert (MEAN, 1, "augment") not in summarise(CELLS, "image_auroc")


def test_a_figure_that_nobody_measured_has_no_table():
    assert summarise(CELLS, "pixel_auroc") == {}
    assert markdown(CELLS, "pixel_auroc") == ""


def test_the_markdown_table_compares_by_hand():
    lines = markdown(CELLS, "image_auroc").splitlines()
    assert "| real | 0.600 ± 0.141 | 0.900 | 0.750 ± 0.071 | +0.000 |  | +0.000 | 0% |" in lines
    assert "| full | 1.000 | 0.900 | 0.950 | +0.200 |  | +0.000 | 100% |" in lines
    only_nut = [cell for cell in CELLS if cell.category == "nut"]
    # 0.25 of the 0.4 between `real` and `full`.
    row = "| augment | 0.850 ± 0.071 | +0.250 | +0.000 | +0.250 | 63% |"
    assert row in markdown(only_nut, "image_auroc").splitlines()


def test_real_with_more_images_stands_below_for_comparison():
    table = markdown([*CELLS, cell("nut", 5, 0, "real", 0.8)], "image_auroc")
    one, five = table.split("### image_auroc, 5 real images")
    assert "| real, 5 images | 0.800 |" in one
    assert "| real | 0.800 |" in five


def test_the_csv_says_the_same(tmp_path):
    write_csv(tmp_path / "results.csv", CELLS)
    with (tmp_path / "results.csv").open() as file:
        records = list(csv.DictReader(file))
    (real,) = [
        r
        for r in records
        if (r["figure"], r["category"], r["row"]) == ("image_auroc", "nut", "real")
    ]
    assert (real["mean"], real["minus_augment"], real["minus_real"]) == ("0.6000", "-0.2500", "")
