import numpy as np
import pytest
from PIL import Image

from models.job.request import GeneratedImage, GenerationResult
from workers.archive.preview import HEAT_SCALE, MAX_GENERATED, contact_sheet, heat, variance_picture

RED, GREEN = (200, 30, 40), (30, 160, 60)


def real_images(count: int, size: tuple[int, int] = (80, 60)) -> list[Image.Image]:
    return [Image.new("RGB", size, RED) for _ in range(count)]


def made_result(
    num_images: int,
    *,
    size: tuple[int, int] = (64, 48),
    num_inputs: int = 1,
    prompt: str = "a bolt",
    sigma: float = 0.0,
) -> GenerationResult:
    width, height = size
    pixels = np.full((height, width, 3), GREEN, dtype=np.uint8)
    images = [
        GeneratedImage(
            render=lambda: pixels,
            seed=n,
            source=n % num_inputs,
            kind="view",
            transform={},
            scores={},
        )
        for n in range(num_images)
    ]
    variance = np.full((num_inputs, height, width), sigma, dtype=np.float32)
    return GenerationResult(images=images, prompt=prompt, report={}, variance=variance, size=size)


def share(picture: Image.Image, colour: tuple[int, int, int]) -> int:
    """How many pixels have nearly this colour."""
    difference = np.abs(np.asarray(picture).astype(int) - np.array(colour)).max(axis=-1)
    return int((difference <= 3).sum())


@pytest.mark.parametrize("num_inputs", [1, 2, 7, 50])
@pytest.mark.parametrize("num_images", [0, 1, 16, 60, 61, 1000])
def test_sheet_stays_on_one_readable_page(num_inputs, num_images):
    sheet = contact_sheet(real_images(num_inputs), made_result(num_images, num_inputs=num_inputs))
    assert sheet.mode == "RGB"
    assert 400 <= sheet.width <= 2400
    assert sheet.height <= 2400


@pytest.mark.parametrize("size", [(512, 16), (16, 512), (32, 32), (1024, 768)])
def test_strips_and_large_images_fit_too(size):
    sheet = contact_sheet(real_images(3, size), made_result(40, size=size, num_inputs=3))
    assert sheet.width <= 2400
    assert sheet.height <= 3200
    assert share(sheet, RED) > 0
    assert share(sheet, GREEN) > 0


def test_a_larger_set_shows_more_up_to_the_cap():
    shown = [
        share(contact_sheet(real_images(1), made_result(n)), GREEN) for n in (25, 40, MAX_GENERATED)
    ]
    assert shown == sorted(set(shown))
    beyond = contact_sheet(real_images(1), made_result(10 * MAX_GENERATED))
    # One tile gives its place to "+N more", the grid may end with a fuller last row.
    assert 0.9 <= share(beyond, GREEN) / shown[-1] <= 1.2


def test_real_images_stand_left_of_the_generated_ones():
    pixels = np.asarray(contact_sheet(real_images(2), made_result(6, num_inputs=2)))
    red = np.argwhere((np.abs(pixels.astype(int) - RED) <= 3).all(axis=-1))
    green = np.argwhere((np.abs(pixels.astype(int) - GREEN) <= 3).all(axis=-1))
    assert red[:, 1].max() < green[:, 1].min()


def test_a_long_prompt_is_wrapped_and_not_cut_at_the_edge():
    short = contact_sheet(real_images(1), made_result(2))
    long = contact_sheet(real_images(1), made_result(2, prompt="a bolt with a thread " * 6))
    assert long.width == short.width
    assert long.height > short.height
    assert share(long.crop((long.width - 20, 0, long.width, long.height)), (255, 255, 255)) == (
        20 * long.height
    )


def test_inputs_of_any_mode_are_shown():
    inputs = [Image.new("L", (50, 50), 90), Image.new("RGBA", (20, 70), (200, 30, 40, 255))]
    sheet = contact_sheet(inputs, made_result(1, num_inputs=2))
    assert share(sheet, (90, 90, 90)) > 1000
    assert share(sheet, RED) > 1000


def test_same_result_same_picture():
    pictures = [
        contact_sheet(real_images(2), made_result(5, num_inputs=2)).tobytes() for _ in range(2)
    ]
    assert pictures[0] == pictures[1]


def test_heat_goes_from_dark_to_bright_without_a_step_back():
    colours = heat(np.linspace(0, 1, 101))
    assert colours.dtype == np.uint8
    assert colours.shape == (101, 3)
    assert colours[0].tolist() == HEAT_SCALE[0].tolist()
    assert colours[-1].tolist() == HEAT_SCALE[-1].tolist()
    lightness = colours.astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) >= 0).all()


def test_more_variance_is_brighter():
    def brightness(sigma: float) -> float:
        result = made_result(0, sigma=sigma)
        return float(np.asarray(variance_picture(real_images(1), result)).mean())

    values = [brightness(sigma) for sigma in (0.0, 0.3, 0.6, 1.0)]
    assert values == sorted(set(values))


def test_the_map_is_bright_where_sigma_is():
    result = made_result(0, size=(64, 64))
    result.variance[0, :, 32:] = 1.0
    picture = variance_picture([Image.new("RGB", (64, 64), (255, 255, 255))], result)
    rows = np.asarray(picture.convert("L")).astype(int)[150:300]
    map_columns = rows[:, 310:540]
    assert map_columns[:, :100].mean() + 50 < map_columns[:, 130:].mean()


@pytest.mark.parametrize("num_inputs", [1, 3, 12, 50])
def test_variance_picture_of_many_images_stays_on_one_page(num_inputs):
    picture = variance_picture(real_images(num_inputs), made_result(0, num_inputs=num_inputs))
    assert picture.width <= 2400
    assert picture.height <= 2400


def test_every_real_image_needs_its_map():
    with pytest.raises(ValueError, match="zip"):
        variance_picture(real_images(2), made_result(0, num_inputs=1))
