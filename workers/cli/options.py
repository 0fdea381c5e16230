"""The options that say what is wanted: the same for `generate` and for `submit`."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from app.jobs.model import Effort, Invariance, JobRequest, Preset
from goodmany.images.files import find_images
from workers.cli.failures import UsageError, describe_faults


def _find(names: list[str]) -> list[str]:
    return [str(path) for path in find_images(names)]


Images = Annotated[
    list[str],
    typer.Argument(
        help="Good images, folders of them, ZIPs of them, or patterns such as 'parts/*.png'.",
        # Before anything else is done.
        callback=_find,
    ),
]
ImagesIfAny = Annotated[
    list[str] | None,
    typer.Argument(
        help="Good images, folders of them, ZIPs of them, or patterns such as 'parts/*.png'.",
        callback=lambda names: _find(names) if names else [],
    ),
]
ImagesUrl = Annotated[
    str | None,
    typer.Option(help="Images in a bucket that the service may take: s3://bucket/folder/."),
]
HeldOutImages = Annotated[
    list[str] | None,
    typer.Option(
        "--held-out",
        help="Other good images, of which nothing is made: the set is judged by them. At least 6; "
        "files, folders, ZIPs or patterns; may be repeated.",
        callback=lambda names: _find(names) if names else [],
    ),
]
ObjectName = Annotated[str, typer.Option(help="What the images show, in plain words.")]
Sense = Annotated[
    str | None,
    typer.Option(help="Which meaning the name has, such as nut.n.03; see GET /v1/prompts."),
]
NumImages = Annotated[int, typer.Option(help="How many new images are wanted.")]
Seed = Annotated[int, typer.Option(help="Same request, same seed: the same images.")]
ImageSize = Annotated[
    int | None,
    typer.Option(help="Long side of the new images in pixels. Default: that of the first image."),
]
PresetOption = Annotated[Preset, typer.Option(help="By which rules the images are made.")]
EffortOption = Annotated[Effort, typer.Option(help="Time against quality.")]
Prompt = Annotated[str | None, typer.Option(help="Replaces the prompt that would be chosen.")]
Invariances = Annotated[
    list[Invariance] | None,
    typer.Option(
        "--invariance", help="Overrules what is decided from the images; may be repeated."
    ),
]
BitDepth = Annotated[
    int | None,
    typer.Option(
        help="How many bits of a pixel count in files that have more than 8, such as 12. "
        "Default: decided from all images together."
    ),
]
Strict = Annotated[bool, typer.Option(help="Fail when fewer images than wanted pass the guard.")]
Out = Annotated[Path, typer.Option(help="The ZIP to write.")]


def build_request(**fields: object) -> JobRequest:
    """The options, checked.

    Raises:
        UsageError: one is not valid; the message says which and why.
    """
    try:
        return JobRequest.model_validate(fields)
    except ValidationError as error:
        raise UsageError(describe_faults(error)) from None
