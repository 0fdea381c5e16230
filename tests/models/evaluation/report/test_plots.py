import numpy as np
from PIL import Image

from models.evaluation.report.plots import plot_bars, plot_curve, plot_maps
from tests.models.evaluation.report.test_summary import CELLS


def test_a_higher_row_has_a_higher_bar(tmp_path):
    plot_bars(tmp_path / "bars.png", CELLS, 1)
    with Image.open(tmp_path / "bars.png") as picture:
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 20


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


def test_a_curve_is_drawn(tmp_path):
    plot_curve(tmp_path / "c.png", {"a": ([0, 1], [0, 1])}, ("false", "true"), marked_x=0.05)
    assert (tmp_path / "c.png").stat().st_size > 1000
