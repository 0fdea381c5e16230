"""Pictures for people: the real images beside the generated ones, and where the object may vary."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from models.job.request import GenerationResult
from workers.archive.sheet_style import (
    CAPTION_PX,
    FAINT,
    GAP_PX,
    GENERATED_FRAME,
    INK,
    MARGIN_PX,
    PAGE,
    REAL_FRAME,
    SECTION_PX,
    TILE_GROUND,
)

MIN_WIDTH_PX = 520
MAX_GENERATED, MAX_REAL_COLUMNS, MAX_COLUMNS = 60, 3, 10
MAX_MAPS = 12
LEGEND_PX = 44

# Anchors of a dark-to-bright scale whose lightness grows evenly, readable without colour vision.
HEAT_SCALE = np.array(
    [[13, 8, 70], [92, 18, 110], [171, 51, 92], [231, 104, 44], [250, 176, 40], [252, 250, 180]],
    dtype=np.float32,
)


@dataclass(frozen=True)
class Tile:
    """One picture with a line of text below it; without a picture, `text` fills its place."""

    text: str
    image: Image.Image | None = None
    frame: str = GENERATED_FRAME


def contact_sheet(inputs: Sequence[Image.Image], result: GenerationResult) -> Image.Image:
    """The real images (left, blue frames) beside the generated ones, under the prompt.

    What does not fit a readable page is counted: "+940 more".

    Args:
        inputs: the k >= 1 real images, any sizes.
        result: at most MAX_GENERATED of its images are shown, in their order.
    """
    num_images, num_inputs = len(result.images), len(inputs)
    columns, tile_size = _plan(min(num_images, MAX_GENERATED), result.size)
    rows = max(1, ceil(min(num_images, MAX_GENERATED) / columns))
    real_columns = min(MAX_REAL_COLUMNS, ceil(num_inputs / rows))
    real = [
        Tile(f"real {n}", image, REAL_FRAME)
        for n, image in enumerate(inputs[: rows * real_columns])
    ]
    generated = [
        Tile(
            f"{n:03d}" if num_inputs == 1 else f"{n:03d}, from real {image.source}",
            Image.fromarray(image.pixels),
        )
        for n, image in enumerate(result.images[: rows * columns])
    ]
    left = _grid(_capped(real, num_inputs), real_columns, tile_size)
    right = _grid(_capped(generated, num_images), columns, tile_size)

    width, height = result.size
    noun = "image" if num_images == 1 else "images"
    facts = f"{num_images} generated {noun}, {width} x {height} px"
    right_at = MARGIN_PX + left.width + MARGIN_PX
    page_width = max(MIN_WIDTH_PX, right_at + right.width + MARGIN_PX)
    header = _header(f"“{result.prompt}”", facts, page_width)
    grid_at = header.height + SECTION_PX
    page = Image.new(
        "RGB", (page_width, grid_at + max(left.height, right.height) + MARGIN_PX), PAGE
    )
    page.paste(header, (0, 0))
    draw = ImageDraw.Draw(page)
    draw.text((MARGIN_PX, header.height), f"Real ({num_inputs})", REAL_FRAME, _font(17))
    draw.text((right_at, header.height), f"Generated ({num_images})", INK, _font(17))
    page.paste(left, (MARGIN_PX, grid_at))
    page.paste(right, (right_at, grid_at))
    return page


def variance_picture(inputs: Sequence[Image.Image], result: GenerationResult) -> Image.Image:
    """Each real image beside its sigma map: dark stays as it is, bright was seen to vary.

    Args:
        inputs: the k real images in the order of `result.variance`.
        result: its `variance` is (k, H, W) in [0, 1].

    Raises:
        ValueError: the result has no variance.
    """
    if result.variance is None:
        raise ValueError("sigma varied none of these images: there is no map of it")
    pairs: list[Tile] = []
    for n, (image, sigma) in enumerate(zip(inputs, result.variance, strict=True)):
        picture = image.convert("RGB").resize(sigma.shape[::-1], Image.Resampling.LANCZOS)
        pairs.append(Tile(f"real {n}", picture, REAL_FRAME))
        pairs.append(Tile(f"sigma of real {n}", overlay_heat(picture, sigma)))
    shown = pairs[: 2 * MAX_MAPS]
    columns = 2 if len(shown) <= 8 else 4
    _, tile_size = _plan(len(shown), result.size)
    grid = _grid(shown, columns, tile_size)

    more = f", {MAX_MAPS} of {len(inputs)} shown" if len(inputs) > MAX_MAPS else ""
    page_width = max(MIN_WIDTH_PX, grid.width + 2 * MARGIN_PX)
    header = _header("Where the object may vary", f"relative sigma per pixel{more}", page_width)
    legend_at = header.height + grid.height + GAP_PX
    page = Image.new("RGB", (page_width, legend_at + LEGEND_PX + MARGIN_PX), PAGE)
    page.paste(header, (0, 0))
    page.paste(grid, (MARGIN_PX, header.height))
    page.paste(_legend(page_width - 2 * MARGIN_PX), (MARGIN_PX, legend_at))
    return page


def heat(values: np.ndarray) -> np.ndarray:
    """Colours of HEAT_SCALE for `values` in [0, 1]: (..., ) float -> (..., 3) uint8."""
    anchors = np.linspace(0.0, 1.0, len(HEAT_SCALE))
    channels = [np.interp(values, anchors, HEAT_SCALE[:, c]) for c in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def overlay_heat(picture: Image.Image, sigma: np.ndarray) -> Image.Image:
    """The heat map over the grey picture, whose edges stay visible through it."""
    grey = ImageOps.autocontrast(ImageOps.grayscale(picture)).convert("RGB")
    return Image.blend(grey, Image.fromarray(heat(sigma)).resize(grey.size), 0.7)


def _plan(num_tiles: int, size: tuple[int, int]) -> tuple[int, tuple[int, int]]:
    """(columns, tile (width, height) in px) of a grid about 1.4 times as wide as high."""
    long_side_px = 256 if num_tiles <= 6 else 192 if num_tiles <= 24 else 144
    factor = long_side_px / max(size)
    # A strip keeps room for its caption and its "+N more".
    width, height = max(112, round(size[0] * factor)), max(64, round(size[1] * factor))
    aspect = (width + GAP_PX) / (height + CAPTION_PX + GAP_PX)
    even = min(MAX_COLUMNS, max(1, round(sqrt(1.4 * num_tiles / aspect))))
    choices = (even, min(MAX_COLUMNS, even + 1), max(1, even - 1))
    # Of nearly equal shapes, the one whose last row is fullest.
    return min(choices, key=lambda columns: -num_tiles % columns), (width, height)


def _capped(tiles: list[Tile], total: int) -> list[Tile]:
    """The tiles; when some of `total` are missing, the last one gives its place to their number."""
    if len(tiles) == total:
        return tiles
    return [*tiles[:-1], Tile(f"+{total - len(tiles) + 1} more")]


def _grid(tiles: list[Tile], columns: int, tile_size: tuple[int, int]) -> Image.Image:
    """The tiles row by row; at least one row, so that an empty set leaves an empty place."""
    width, height = tile_size
    rows = max(1, ceil(len(tiles) / columns))
    step_x, step_y = width + GAP_PX, height + CAPTION_PX + GAP_PX
    grid = Image.new("RGB", (columns * step_x - GAP_PX, rows * step_y - GAP_PX), PAGE)
    draw = ImageDraw.Draw(grid)
    for n, tile in enumerate(tiles):
        x, y = n % columns * step_x, n // columns * step_y
        box = (x, y, x + width - 1, y + height - 1)
        draw.rectangle(box, TILE_GROUND)
        if tile.image is None:
            centre = (x + width / 2, y + height / 2)
            draw.text(centre, tile.text, FAINT, _font(18), anchor="mm")
        else:
            thumbnail = ImageOps.contain(tile.image.convert("RGB"), tile_size)
            at = (x + (width - thumbnail.width) // 2, y + (height - thumbnail.height) // 2)
            grid.paste(thumbnail, at)
            draw.text((x + 1, y + height + 3), tile.text, FAINT, _font(12))
        draw.rectangle(box, None, tile.frame, 2)
    return grid


def _header(title: str, facts: str, width: int) -> Image.Image:
    """A wrapped title with one line of facts below it."""
    lines = _wrap(title, _font(24), width - 2 * MARGIN_PX)
    facts_at = MARGIN_PX + 32 * len(lines)
    header = Image.new("RGB", (width, facts_at + 36), PAGE)
    draw = ImageDraw.Draw(header)
    for n, line in enumerate(lines):
        draw.text((MARGIN_PX, MARGIN_PX + 32 * n), line, INK, _font(24))
    draw.text((MARGIN_PX, facts_at), facts, FAINT, _font(14))
    return header


def _wrap(text: str, font: ImageFont.FreeTypeFont, width_px: int) -> list[str]:
    """Lines that fit `width_px`, broken between words, at most three."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if not lines[-1] or font.getlength(longer) <= width_px:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines if len(lines) <= 3 else [*lines[:2], f"{lines[2]} ..."]


def _legend(width: int) -> Image.Image:
    """The scale from 0 to 1 with its meaning at both ends."""
    legend = Image.new("RGB", (width, LEGEND_PX), PAGE)
    scale = np.broadcast_to(np.linspace(0.0, 1.0, width), (16, width))
    legend.paste(Image.fromarray(heat(scale)), (0, 0))
    draw = ImageDraw.Draw(legend)
    draw.text((0, 22), "0: stays as it is", FAINT, _font(13))
    draw.text((width, 22), "1: varies most", FAINT, _font(13), anchor="ra")
    return legend


def _font(size_px: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size_px)
    assert isinstance(font, ImageFont.FreeTypeFont)  # Pillow's wheels carry FreeType
    return font
