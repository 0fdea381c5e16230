"""The command line of the evaluation; torch is imported only when it runs."""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_ROWS = ["full", "real", "augment"]


def evaluate(  # noqa: PLR0917  typer reads the options from the signature
    data: Annotated[list[str], typer.Argument(help="A category, a folder of them, or 'textile'.")],
    shots: Annotated[list[int], typer.Option(help="Real images; repeat for several.")] = [1],  # noqa: B006
    seeds: Annotated[int, typer.Option(help="Draws of the real images.")] = 3,
    row: Annotated[
        list[str], typer.Option(help="A row of the table, or module:function; repeatable.")
    ] = DEFAULT_ROWS,
    num_images: Annotated[int, typer.Option(help="Images that a generating row adds.")] = 24,
    coreset: Annotated[int, typer.Option(help="Most patches in the memory bank.")] = 4096,
    out: Annotated[Path, typer.Option(help="Folder for results.")] = Path("results"),
    all_images: Annotated[
        bool, typer.Option("--all", help="All test images, not 40 good and 40 defective.")
    ] = False,
) -> None:
    """Measures what generated images are worth to a detector, on DATA in the MVTec layout."""
    from models.evaluation import table  # noqa: PLC0415

    settings = table.Settings(num_images=num_images, coreset_size=coreset)
    categories = table.read_categories(data, max_test_images=None if all_images else 40)
    plans = table.plan(categories, row, shots, seeds)
    typer.echo(table.write_table(plans, settings, out))
