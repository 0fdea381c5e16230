import base64
import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from app.http.view_families import ViewFamily
from app.jobs.model import Invariance
from workers.archive.views_sheet import MARGIN_PX, TILE_PX, read_view, views_sheet


def family(name: Invariance, *shades: int, reason: str = "It is so.") -> ViewFamily:
    urls = []
    for shade in shades:
        file = io.BytesIO()
        Image.new("RGB", (64, 48), (shade,) * 3).save(file, "PNG")
        urls.append(f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}")
    return ViewFamily(
        name=name, title="Turned", belief=0.5, chosen=True, reason=reason, images=urls
    )


def test_a_view_is_read_from_its_url():
    assert read_view(family(Invariance.shift, 40).images[0]).getpixel((3, 3)) == (40, 40, 40)


def test_each_family_has_a_row_with_the_input_first():
    rows = [family(Invariance.rotate, 40, 80, 120), family(Invariance.shift, 160)]
    sheet = np.asarray(views_sheet(Image.new("RGB", (300, 225), (0, 200, 0)), rows))
    step = (sheet.shape[0] - 2 * MARGIN_PX - TILE_PX) // 1
    middle = MARGIN_PX + TILE_PX // 2
    first, second = (sheet[middle + row * step] for row in range(2))
    for row in (first, second):
        assert tuple(row[middle]) == (0, 200, 0)
    shades = [{tuple(pixel) for pixel in row} for row in (first, second)]
    assert {(40,) * 3, (80,) * 3, (120,) * 3} <= shades[0]
    assert (160,) * 3 in shades[1]
    assert not {(40,) * 3} & shades[1]


def test_it_is_drawn_without_the_input_and_without_a_workers_packages():
    rows = [family(Invariance.rotate, 40, 80)]
    alone, beside = (views_sheet(i, rows) for i in (None, Image.new("RGB", (64, 48))))
    assert beside.width - alone.width > TILE_PX
    middle = MARGIN_PX + TILE_PX // 2
    assert alone.getpixel((middle, middle)) == (40, 40, 40)
    block = "; ".join(f"sys.modules[{name!r}] = None" for name in ("numpy", "torch", "fastapi"))
    program = f"import sys; {block}; import workers.archive.views_sheet"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("words", [1, 40])
def test_what_is_believed_stands_beside(words: int):
    row = family(Invariance.rotate, 250, reason="round " * words)
    sheet = np.asarray(views_sheet(Image.new("RGB", (64, 64), "white"), [row]).convert("L"))
    text = sheet[:, 2 * (MARGIN_PX + TILE_PX) :]
    assert int((text < 120).sum()) > 50 * (1 + words / 10)
