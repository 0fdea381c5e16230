"""What was understood of the images, in the terminal: so that nobody trains on a misread camera."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

SENT = re.compile(r"images\[(\d+)\](.*)")


def tell_inputs(
    console: Console,
    names: Sequence[str],
    inputs: Sequence[Mapping[str, Any]],
    size: tuple[int | None, int | None] = (None, None),
) -> None:
    """One line for each image, one for each warning, and one for what is to be made of them.

    Args:
        console: where it is printed.
        names: the images' files, or the ZIPs that hold them.
        inputs: as in a job's `inputs`; none when the service does not tell.
        size: (width, height) of the new images in px; None when the service does not tell.
    """
    labels = [_label(number, image, names) for number, image in enumerate(inputs)]
    for name, image in zip(labels, inputs, strict=True):
        channels = f"{image['channels']} channel{'s' if image['channels'] > 1 else ''}"
        shape = f"{image['width']} x {image['height']} px"
        told = f"{name}: {shape}, {image['bit_depth']} bit, {channels}, white {image['white']}"
        if image["orientation"] != 1:
            told += f", turned upright (Exif {image['orientation']})"
        console.print(told, highlight=False, markup=False, soft_wrap=True)
        for warning in image["warnings"]:
            same_as = warning["same_as"]
            detail = (
                warning["detail"] if same_as is None else f"The same pixels as {labels[same_as]}."
            )
            console.print(
                f"  {detail}", style="yellow", highlight=False, markup=False, soft_wrap=True
            )
    if None not in size:
        console.print(f"new images: {size[0]} x {size[1]} px", highlight=False)


def tell_figures(console: Console, figures: Mapping[str, Any]) -> None:
    """How a set lies among real images that nothing was made from, in the manifest's figures."""
    console.print(f"beside {figures['num_images']} real ones that nothing was made from:")
    for what, name in (("new images", "new"), ("given images", "given")):
        share, covered = figures[name]["precision"], figures[name]["coverage"]
        console.print(
            f"  {what}: precision {share:.2f} (lie among them), coverage {covered:.2f} (share of "
            "them with one near)",
            highlight=False,
            soft_wrap=True,
        )


def _label(number: int, image: Mapping[str, Any], names: Sequence[str]) -> str:
    """What the person calls the image: its file, or where its ZIP has it."""
    field = image.get("field") or f"images[{number}]"
    if sent := SENT.fullmatch(field):
        return f"{names[int(sent[1])]}{sent[2]}"
    return field
