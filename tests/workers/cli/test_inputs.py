"""The lines in the terminal about the images that were sent."""

import io

from rich.console import Console

from workers.cli.inputs import tell_inputs

IMAGE = {
    "width": 640,
    "height": 480,
    "bit_depth": 12,
    "channels": 1,
    "orientation": 1,
    "white": 4095,
    "warnings": [],
}


def said(names: list[str], inputs: list[dict]) -> list[str]:
    console = Console(file=io.StringIO(), width=200)
    tell_inputs(console, names, inputs)
    return console.file.getvalue().splitlines()


def test_each_image_has_its_line():
    turned = {**IMAGE, "channels": 3, "orientation": 6}
    assert said(["a.png", "b[1].png"], [IMAGE, turned]) == [
        "a.png: 640 x 480 px, 12 bit, 1 channel, white 4095",
        "b[1].png: 640 x 480 px, 12 bit, 3 channels, white 4095, turned upright (Exif 6)",
    ]


def test_a_warning_has_its_line_and_names_files():
    dark = {"code": "nearly_black", "detail": "99 % of it is dark.", "same_as": None}
    double = {"code": "duplicate", "detail": "The same pixels as image 0.", "same_as": 0}
    lines = said(["a.png", "b.png"], [IMAGE, {**IMAGE, "warnings": [dark, double]}])
    assert lines[2:] == ["  99 % of it is dark.", "  The same pixels as a.png."]


def test_what_came_in_a_zip_is_named_by_both():
    fields = ["images[0]", "images[1]/b/c.png", "images[1]/d.png"]
    inputs: list[dict] = [{**IMAGE, "field": field} for field in fields]
    double = {"code": "duplicate", "detail": "The same pixels as image 1.", "same_as": 1}
    inputs[2]["warnings"] = [double]
    lines = said(["a.png", "parts.zip"], inputs)
    assert [line.split(":")[0] for line in lines[:3]] == [
        "a.png",
        "parts.zip/b/c.png",
        "parts.zip/d.png",
    ]
    assert lines[3] == "  The same pixels as parts.zip/b/c.png."


def test_a_service_that_does_not_tell_is_silent():
    assert said(["a.png"], []) == []


def test_the_size_of_the_new_images_is_told_before_they_are_made():
    console = Console(file=io.StringIO(), width=200)
    tell_inputs(console, ["a.png"], [IMAGE], (256, 192))
    assert console.file.getvalue().splitlines()[-1] == "new images: 256 x 192 px"
