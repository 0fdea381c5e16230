"""Pictures of an evaluation: bars per category, anomaly maps beside their masks."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from models.evaluation.cells import Cell
from models.evaluation.report.summary import MEAN, summarise

BAR_GROUP_WIDTH = 0.8
DPI = 110


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty figure of a size in inches; drawn without a screen."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure, figure.subplots()


def plot_bars(path: Path, cells: Sequence[Cell], shots: int, measure: str = "image_auroc") -> None:
    """One group of bars a category, one bar a row, a whisker of one standard deviation."""
    summary = {k: v for k, v in summarise(cells, measure).items() if k[1] in {0, shots}}
    categories = sorted({c for c, _, _ in summary}, key=lambda c: (c == MEAN, c))
    keys = sorted(dict.fromkeys(key[1:] for key in summary), key=lambda key: key[0] == 0)
    width = BAR_GROUP_WIDTH / len(keys)
    figure, axes = _figure(max(6.0, 1.0 + 0.28 * len(keys) * len(categories)), 4.2)
    colours = mpl.colormaps["tab10"].colors  # type: ignore[attr-defined]
    for index, (k, row) in enumerate(keys):
        present = [i for i, c in enumerate(categories) if (c, k, row) in summary]
        values = [summary[categories[i], k, row] for i in present]
        axes.bar(
            [i + (index + 0.5) * width - BAR_GROUP_WIDTH / 2 for i in present],
            [value.mean for value in values],
            width * 0.92,
            yerr=[value.deviation for value in values],
            label=row,
            color="0.7" if k == 0 else colours[index % len(colours)],
            error_kw={"elinewidth": 0.8, "ecolor": "0.25"},
        )
    lowest = min(value.mean - value.deviation for value in summary.values())
    axes.set_ylim(max(0.0, np.floor(lowest * 10) / 10), 1.01)
    axes.set_xticks(range(len(categories)), [c.replace("_", "\n") for c in categories])
    axes.set_ylabel(measure.replace("_", " ").replace("auroc", "AUROC"))
    axes.set_title(f"{shots} real image{'s' if shots > 1 else ''}")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=DPI, bbox_inches="tight")


def plot_maps(
    path: Path,
    images: Sequence[Image.Image],
    masks: NDArray[np.bool_],
    maps: dict[str, NDArray[np.float32]],
) -> None:
    """Test images in rows; in columns the image, its mask, and the anomaly map of each table row.

    Args:
        path: the PNG to write.
        images: B test images.
        masks: (B, H, W) true where defective.
        maps: for each table row (B, H, W) anomaly maps; all images of a row share one scale.
    """
    figure = Figure(figsize=(1.6 * (2 + len(maps)), 1.7 * len(images)))
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(images), 2 + len(maps), squeeze=False)
    side = (masks.shape[2], masks.shape[1])
    for index, image in enumerate(images):
        shown = [np.asarray(image.resize(side)), masks[index], *(m[index] for m in maps.values())]
        limits = [(0, 255), (0, 1), *((float(m.min()), float(m.max())) for m in maps.values())]
        for axes, pixels, (low, high) in zip(grid[index], shown, limits, strict=True):
            axes.imshow(pixels, vmin=low, vmax=high, cmap="gray" if high == 1 else "magma")
            axes.set_axis_off()
    for axes, title in zip(grid[0], ["image", "mask", *maps], strict=True):
        axes.set_title(title, fontsize=9)
    figure.savefig(path, dpi=DPI, bbox_inches="tight")


def plot_curve(
    path: Path,
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    labels: tuple[str, str],
    marked_x: float | None = None,
) -> None:
    """Lines (x values, y values) by name with labelled axes, both from 0 to 1."""
    figure, axes = _figure(5.2, 4.2)
    for name, (x, y) in curves.items():
        axes.plot(x, y, label=name, linewidth=1.4)
    if marked_x is not None:
        axes.axvline(marked_x, color="0.6", linewidth=0.8, linestyle="--")
    axes.set(xlabel=labels[0], ylabel=labels[1], xlim=(-0.01, 1.0), ylim=(0.0, 1.02))
    axes.legend(loc="best", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=DPI, bbox_inches="tight")
