"""`goodmany views`: which views of good images are still good parts, before anything is made."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from PIL import Image, ImageOps
from rich import box
from rich.console import Console
from rich.table import Table

from app.http.view_families import ViewFamilies
from workers.cli.inputs import tell_inputs
from workers.cli.options import BitDepth, Images
from workers.cli.output_file import open_output
from workers.cli.server_options import ApiKey, connected, print_json

if TYPE_CHECKING:
    from workers.generation.read_inputs import ReadInputs

PLAIN_MODES = ("1", "L", "P", "RGB")


def views(
    *,
    images: Images,
    out: Annotated[
        Path | None, typer.Option(help="A PNG to write: a row of such views for each family.")
    ] = None,
    bit_depth: BitDepth = None,
    server: Annotated[
        str | None,
        typer.Option(
            help="Address of a service to ask; without it, no service.", envvar="GOODMANY_SERVER"
        ),
    ] = None,
    api_key: ApiKey = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Prints the answer of POST /v1/views instead.")
    ] = False,
) -> None:
    """Shows which views of good images are believed to be good parts, and why."""
    with ExitStack() as opened:
        file = opened.enter_context(open_output(out)) if out else None
        first: Image.Image | None
        if server is None:
            inputs = _read(images, bit_depth)
            told, first = _look(inputs), inputs.images[0]
        else:
            with connected(server, api_key) as client:
                views = client.views(images, bit_depth=bit_depth)
            told = ViewFamilies.model_validate(views.raw)
            first = _open_plain(Path(images[0]))
        if file is not None:
            from workers.archive.views_sheet import views_sheet  # noqa: PLC0415

            views_sheet(first, told.families).save(file, "PNG")
    if as_json:
        print_json(told.model_dump(mode="json"))
        return
    console = Console()
    tell_inputs(console, images, [image.model_dump() for image in told.inputs])
    console.print(_table(told))
    if out is not None:
        console.print(f"pictures: {out}", highlight=False)


def _open_plain(path: Path) -> Image.Image | None:
    """The image, without what reads all kinds of them; None of a ZIP or of more than 8 bits."""
    try:
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened)
            return upright.convert("RGB") if upright.mode in PLAIN_MODES else None
    except (OSError, ValueError):
        return None


def _look(inputs: "ReadInputs") -> ViewFamilies:
    """By the method itself, as the viewer does it."""
    from models.features.patches import load_patch_features  # noqa: PLC0415
    from workers.viewer.show_views import families_of, to_view_family  # noqa: PLC0415

    reads = [lambda image=image: image for image in inputs.images]
    families = families_of(reads, load_patch_features(), None)
    return ViewFamilies(
        inputs=inputs.understood, families=[to_view_family(family) for family in families]
    )


def _read(images: list[str], bit_depth: int | None) -> "ReadInputs":
    """The images as a job would read them."""
    from app.files.decoders import Decoders  # noqa: PLC0415, only a service has what decodes
    from app.settings import Settings  # noqa: PLC0415
    from workers.generation.read_inputs import open_files, read_inputs  # noqa: PLC0415

    settings = Settings()
    with Decoders(settings) as decoders, open_files(images, settings) as files:
        return read_inputs(files, bit_depth, decoders)


def _table(told: ViewFamilies) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for heading in ("family", "belief", "chosen", "reason"):
        table.add_column(heading, justify="right" if heading == "belief" else "left")
    for family in told.families:
        chosen = "yes" if family.chosen else "no"
        table.add_row(str(family.name), f"{family.belief:.2f}", chosen, family.reason)
    return table
