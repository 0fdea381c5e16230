from PIL import Image

from models.evaluation.fidelity.contact_sheet import (
    GAP_PX,
    GROUND,
    LABEL_PX,
    NUM_TILES,
    TILE_PX,
    contact_sheet,
    spread,
)


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (60, 60)) -> Image.Image:
    return Image.new("RGB", size, colour)


def centre(column: int, row: int) -> tuple[int, int]:
    return (
        GAP_PX + column * (TILE_PX + GAP_PX) + TILE_PX // 2,
        2 * LABEL_PX + row * (TILE_PX + GAP_PX) + TILE_PX // 2,
    )


def test_every_column_shows_its_images_from_the_top():
    red, green, blue = (plain(colour) for colour in ((200, 0, 0), (0, 200, 0), (0, 0, 200)))
    sheet = contact_sheet("nut", {"given": [red], "small": [green, blue]})
    assert sheet.getpixel(centre(0, 0)) == (200, 0, 0)
    assert sheet.getpixel(centre(0, 1)) == GROUND
    assert sheet.getpixel(centre(1, 0)) == (0, 200, 0)
    assert sheet.getpixel(centre(1, 1)) == (0, 0, 200)


def test_labels_are_written():
    bare = contact_sheet("", {"": [plain((0, 0, 0))]})
    labelled = contact_sheet("nut", {"given": [plain((0, 0, 0))]})
    head = (0, 0, bare.width, 2 * LABEL_PX)
    assert len(bare.crop(head).getcolors()) == 1
    assert len(labelled.crop(head).getcolors(10_000)) > 10


def test_an_image_of_another_shape_is_not_squeezed():
    wide = plain((0, 200, 0), (120, 30))
    sheet = contact_sheet("", {"given": [plain((0, 0, 0))], "other": [wide]})
    left, top = GAP_PX + TILE_PX + GAP_PX, 2 * LABEL_PX
    assert sheet.getpixel((left + 5, top + 5)) == (0, 200, 0)
    assert sheet.getpixel((left + 5, top + 40)) == GROUND


def test_a_large_set_is_shown_evenly():
    images = [plain((number, 0, 0)) for number in range(33)]
    shown = [image.getpixel((0, 0))[0] for image in spread(images, NUM_TILES)]
    assert shown == [0, 5, 11, 16, 22, 27]
    assert spread(images[:3], NUM_TILES) == images[:3]
