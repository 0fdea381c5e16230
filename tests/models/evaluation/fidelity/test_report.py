import csv

from models.evaluation.detector.networks import Network
from models.evaluation.fidelity.report import write_csv, write_markdown
from tests.models.evaluation.fidelity.test_summary import CELLS

NETWORKS = [Network(name, 64 * "0", None) for name in ("a", "b")]


def page(tmp_path, cells=CELLS) -> str:
    sheet = tmp_path / "sheet-nut-1.png"
    path = tmp_path / "fidelity.md"
    write_markdown(path, cells, NETWORKS, command="goodmany evaluate nut", sheets=[sheet])
    return path.read_text()


def test_the_page_has_the_command_the_networks_and_the_sheets(tmp_path):
    text = page(tmp_path)
    assert "```sh\ngoodmany evaluate nut\n```" in text
    assert "Networks: a (000000000000), b (000000000000)." in text
    assert "![sheet-nut-1](sheet-nut-1.png)" in text


def test_the_tables_by_hand(tmp_path):
    lines = page(tmp_path).splitlines()
    overall = lines[lines.index("### Mean of the categories") :]
    start = overall.index("**coverage**")
    assert overall[start + 2] == "| row | mean | minus given | minus augment | a | b |"
    assert overall[start + 4] == "| given | 0.450 ± 0.071 |  |  | 0.350 ± 0.071 | 0.550 ± 0.071 |"
    # Not measured on the pill: no mean of the categories.
    assert overall[start + 5] == "| small |  |  |  |  |  |"
    assert "| given | 0.50 / 0.30 | 0.50 / 0.60 | 0.50 / 0.45 |" in lines
    assert "| small | 0.50 / 0.50 |  |  |" in lines
    assert "**pixel AUROC**" not in lines


def test_one_category_is_its_own_mean(tmp_path):
    lines = page(tmp_path, [c for c in CELLS if c.category == "nut"]).splitlines()
    assert "### nut" in lines
    row = "| small | 0.500 ± 0.283 | +0.200 ± 0.141 |  | 0.400 ± 0.283 | 0.600 ± 0.283 |"
    assert row in lines


def test_the_csv_says_the_same(tmp_path):
    write_csv(tmp_path / "fidelity.csv", CELLS)
    with (tmp_path / "fidelity.csv").open() as file:
        records = list(csv.DictReader(file))
    place = {"figure": "coverage", "network": "mean", "row": "small", "category": "nut"}
    (small,) = [r for r in records if place.items() <= r.items()]
    assert (small["mean"], small["num_draws"]) == ("0.5000", "2")
    assert (small["minus_given"], small["minus_given_deviation"]) == ("0.2000", "0.1414")
    assert small["minus_augment"] == ""
