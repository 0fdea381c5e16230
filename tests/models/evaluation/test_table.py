import csv

import pytest
from PIL import Image

from models.evaluation.data.dataset import read_dataset
from models.evaluation.experiment import Experiment, Plan, Settings, plan
from models.evaluation.table import write_table

SMALL = Settings(coreset_size=200)


@pytest.fixture
def plans(category_folder) -> list[Plan]:
    return plan(read_dataset(str(category_folder)), ["full", "real"], [1], 2)


def test_the_table_comes_with_its_files(plans, features, tmp_path):
    page = write_table(Experiment(tmp_path, features, SMALL), plans)
    assert "| real | 1.000 |" in page.read_text()
    with (tmp_path / "results.csv").open() as file:
        assert {record["row"] for record in csv.DictReader(file)} == {"full", "real"}
    for name in ("image_auroc-1.png", "maps-tile-1.png"):
        with Image.open(tmp_path / name) as picture:
            assert min(picture.size) > 200


class StopError(Exception):
    pass


def test_a_stopped_table_goes_on_where_it_was(plans, features, tmp_path):
    stopped = Experiment(tmp_path, features, SMALL)

    def stop_at_the_second_seed(data):
        if data.seed == 1:
            raise StopError
        return list(data.images)

    stopped.rows["real"] = stop_at_the_second_seed
    with pytest.raises(StopError):
        write_table(stopped, plans)
    kept = stopped.cells.read()
    assert [(cell.row, cell.seed) for cell in kept] == [("full", 0), ("real", 0)]
    resumed = Experiment(tmp_path, features, SMALL)
    page = write_table(resumed, plans)
    cells = resumed.cells.read()
    assert cells[:2] == kept
    assert [(cell.row, cell.seed) for cell in cells[2:]] == [("real", 1)]
    assert "3 cells" in page.read_text()
