from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from models.evaluation.report.plots import plot_bars, plot_curve, plot_maps
from tests.models.evaluation.report.test_summary import CELLS

# matplotlib's first colours, in the order of the rows; `full` is grey.
REAL, AUGMENT, FULL = (31, 119, 180), (255, 127, 14), (179, 179, 179)


def painted(path: Path, colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Where the picture has this very colour, (H, W)."""
    with Image.open(path) as picture:
        return (np.asarray(picture.convert("RGB")) == colour).all(axis=2)


def bar_height_px(path: Path, colour: tuple[int, int, int]) -> int:
    """Of the colour's highest bar; the legend's patch is lower than any."""
    return int(painted(path, colour).sum(axis=0).max())


def test_bars_are_as_high_as_their_figures(tmp_path):
    nut = [cell for cell in CELLS if cell.category == "nut"]
    plot_bars(tmp_path / "bars.png", nut, 1)
    heights = {c: bar_height_px(tmp_path / "bars.png", c) for c in (REAL, AUGMENT, FULL)}
    # Means .6, .85 and 1; the axis begins at .4, the tenth below .6 less its deviation.
    assert heights[AUGMENT] / heights[REAL] == pytest.approx(0.45 / 0.2, rel=0.03)
    assert heights[FULL] / heights[REAL] == pytest.approx(0.6 / 0.2, rel=0.03)


def test_a_row_that_a_category_lacks_leaves_its_place_empty(tmp_path):
    plot_bars(tmp_path / "bars.png", CELLS, 1)
    # Columns in which a bar stands; a legend's patch is some 10 px high.
    wide = {c: (painted(tmp_path / "bars.png", c).sum(axis=0) > 20).sum() for c in (REAL, AUGMENT)}
    # `augment` was measured for the nut alone, `real` for the nut, the pill and their mean.
    assert wide[REAL] / wide[AUGMENT] == pytest.approx(3, rel=0.1)


def test_pictures_have_a_column_for_each_row(tmp_path):
    images = [Image.new("RGB", (40, 30), (200, 0, 0))] * 2
    masks = np.zeros((2, 8, 8), dtype=bool)
    maps = np.random.default_rng(0).random((2, 8, 8)).astype(np.float32)
    widths = []
    for names in (["real"], ["real", "augment", "goodmany"]):
        plot_maps(tmp_path / "maps.png", images, masks, dict.fromkeys(names, maps))
        with Image.open(tmp_path / "maps.png") as picture:
            widths.append(picture.width)
    assert widths[1] > 1.4 * widths[0]


def test_a_curve_goes_where_its_points_lie(tmp_path):
    for name, y in (("up", [0, 1]), ("down", [1, 0])):
        plot_curve(
            tmp_path / f"{name}.png", {"guard": ([0, 1], y)}, ("false", "true"), marked_x=0.05
        )
    for name, rises in (("up", True), ("down", False)):
        rows, columns = painted(tmp_path / f"{name}.png", REAL).nonzero()
        left, right = rows[columns.argmin()], rows[columns.argmax()]
        assert (right < left) == rises  # rows count from the top
        assert abs(right - left) > 200
