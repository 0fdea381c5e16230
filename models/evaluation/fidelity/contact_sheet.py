"""A picture to look at: given images, other real ones and what each row made, side by side."""

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

TILE_PX = 224
NUM_TILES = 6
GAP_PX = 6
LABEL_PX = 30
# Neither the white nor the black that parts lie on: their edges are to be seen.
GROUND, INK = (176, 190, 204), (16, 16, 16)


def contact_sheet(title: str, columns: Mapping[str, Sequence[Image.Image]]) -> Image.Image:
    """One labelled column a name, each with up to NUM_TILES of its images spread over the set.

    Every tile has the shape of the first column's first image, TILE_PX on the long side; an image
    of another shape is fitted in.
    """
    first = next(iter(columns.values()))[0]
    factor = TILE_PX / max(first.size)
    width, height = (round(side * factor) for side in first.size)
    tile_width = width + GAP_PX
    size = (
        GAP_PX + tile_width * len(columns),
        2 * LABEL_PX + NUM_TILES * (height + GAP_PX),
    )
    sheet = Image.new("RGB", size, GROUND)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=18)
    draw.text((GAP_PX, LABEL_PX / 2), title, INK, font, anchor="lm")
    for column, (name, images) in enumerate(columns.items()):
        left = GAP_PX + column * tile_width
        draw.text((left, 1.5 * LABEL_PX), name, INK, font, anchor="lm")
        for row, image in enumerate(spread(images, NUM_TILES)):
            tile = image.convert("RGB")
            if tile.size[0] * height == tile.size[1] * width:
                tile = tile.resize((width, height), Image.Resampling.LANCZOS)
            else:
                tile.thumbnail((width, height), Image.Resampling.LANCZOS)
            sheet.paste(tile, (left, 2 * LABEL_PX + row * (height + GAP_PX)))
    return sheet


def spread(images: Sequence[Image.Image], count: int) -> list[Image.Image]:
    """At most `count` of the images, evenly spaced in their order, the first one among them."""
    if len(images) <= count:
        return list(images)
    return [images[number * len(images) // count] for number in range(count)]
