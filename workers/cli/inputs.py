"""What was understood of the images, in the terminal: so that nobody trains on a misread camera."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console


def tell_inputs(console: Console, names: Sequence[str], inputs: Sequence[dict[str, Any]]) -> None:
    """One line for each image, and one for each warning.

    Args:
        console: where it is printed.
        names: the images' files.
        inputs: as in a job's `inputs`; none when the service does not tell.
    """
    for name, image in zip(names, inputs, strict=False):
        channels = f"{image['channels']} channel{'s' if image['channels'] > 1 else ''}"
        size = f"{image['width']} x {image['height']} px"
        told = f"{name}: {size}, {image['bit_depth']} bit, {channels}, white {image['white']}"
        if image["orientation"] != 1:
            told += f", turned upright (Exif {image['orientation']})"
        console.print(told, highlight=False, markup=False)
        for warning in image["warnings"]:
            same_as = warning["same_as"]
            detail = (
                warning["detail"] if same_as is None else f"The same pixels as {names[same_as]}."
            )
            console.print(f"  {detail}", style="yellow", highlight=False, markup=False)
