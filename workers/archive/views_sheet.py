"""The families of views as one picture: what a person looks at before saying what may vary."""

import base64
import io
from collections.abc import Sequence
from textwrap import wrap

from PIL import Image, ImageDraw, ImageFont, ImageOps

from app.http.view_families import ViewFamily
from workers.archive.sheet_style import FAINT, GAP_PX, INK, MARGIN_PX, PAGE, REAL_FRAME

TILE_PX, TEXT_PX = 148, 300
TITLE_FONT, TEXT_FONT, LINE_PX = 16, 13, 17
CHARACTERS_A_LINE = 44
CHOSEN = "#1f8a4c"


def views_sheet(image: Image.Image | None, families: Sequence[ViewFamily]) -> Image.Image:
    """A row a family: the input, such views of it, and what is believed of them.

    Args:
        image: the first good image; None where it cannot be shown.
        families: as the API tells them.
    """
    columns = (image is not None) + max(len(family.images) for family in families)
    step = TILE_PX + GAP_PX
    width = 2 * MARGIN_PX + columns * step + TEXT_PX
    page = Image.new("RGB", (width, 2 * MARGIN_PX + len(families) * step - GAP_PX), PAGE)
    for row, family in enumerate(families):
        top = MARGIN_PX + row * step
        shown = [] if image is None else [_framed(image)]
        tiles = [*shown, *(_tile(read_view(url)) for url in family.images)]
        for column, tile in enumerate(tiles):
            page.paste(tile, (MARGIN_PX + column * step, top))
        _tell(ImageDraw.Draw(page), (MARGIN_PX + columns * step + GAP_PX, top), family)
    return page


def read_view(url: str) -> Image.Image:
    """The picture in a `data:` URL."""
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))


def _tile(image: Image.Image) -> Image.Image:
    return ImageOps.pad(image.convert("RGB"), (TILE_PX, TILE_PX), color=PAGE)


def _framed(image: Image.Image) -> Image.Image:
    inner = ImageOps.contain(image.convert("RGB"), (TILE_PX - 6, TILE_PX - 6))
    return _tile(ImageOps.expand(inner, 3, REAL_FRAME))


def _tell(draw: ImageDraw.ImageDraw, place: tuple[int, int], family: ViewFamily) -> None:
    left, top = place
    draw.text((left, top), family.title, INK, ImageFont.load_default(TITLE_FONT))
    choice = "a job does it" if family.chosen else "only on your word"
    told = f"{family.name}, belief {family.belief:.2f}: {choice}"
    colour = CHOSEN if family.chosen else FAINT
    draw.text((left, top + 24), told, colour, ImageFont.load_default(TEXT_FONT))
    for number, line in enumerate(wrap(family.reason, CHARACTERS_A_LINE)):
        place = (left, top + 46 + number * LINE_PX)
        draw.text(place, line, INK, ImageFont.load_default(TEXT_FONT))
