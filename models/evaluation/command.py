"""The command line of the evaluation; torch is imported only when it runs."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def evaluate(  # noqa: PLR0917  typer reads the options from the signature
    data: Annotated[
        list[str], typer.Argument(help="A category, a folder of categories, or 'textile'.")
    ],
    shots: Annotated[list[int], typer.Option(help="Real images; repeat for several.")] = [1],  # noqa: B006
    seeds: Annotated[int, typer.Option(min=1, help="Draws of the real images.")] = 3,
    row: Annotated[
        list[str] | None,
        typer.Option(help="A row of the table, or module:function; repeatable. [default: all]"),
    ] = None,
    detector: Annotated[Literal["patchcore"], typer.Option(help="The detector.")] = "patchcore",
    num_images: Annotated[
        int, typer.Option(min=1, help="Images that a generating row adds for each real one.")
    ] = 24,
    image_size: Annotated[int, typer.Option(help="Long side of generated images in px.")] = 224,
    effort: Annotated[str, typer.Option(help="draft, standard or high.")] = "standard",
    encoder: Annotated[
        str, typer.Option(envvar="GOODMANY_ENCODER", help="As in the settings.")
    ] = "embedded",
    vqgan: Annotated[
        str, typer.Option(envvar="GOODMANY_VQGAN", help="As in the settings.")
    ] = "embedded",
    device: Annotated[
        str, typer.Option(envvar="GOODMANY_DEVICE", help="As in the settings.")
    ] = "auto",
    coreset: Annotated[int, typer.Option(help="Most patches in the detector's memory.")] = 4096,
    coresets: Annotated[
        int, typer.Option(min=1, help="Draws of that memory that a figure is the mean of.")
    ] = 3,
    reweight: Annotated[bool, typer.Option(help="PatchCore's reweighted image score.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for results.")] = Path("results"),
    all_images: Annotated[
        bool, typer.Option("--all", help="All test images, not 40 good and 40 defective.")
    ] = False,
    guard: Annotated[
        bool, typer.Option("--guard", help="Measure the normality guard on planted defects.")
    ] = False,
    study: Annotated[
        bool, typer.Option("--study", help="Correlate the uplift with properties of the sets.")
    ] = False,
) -> None:
    """Measures what generated images are worth to a detector, on DATA in the MVTec layout.

    Writes results.md, results.csv and plots to the folder, with --guard or --study guard.md or
    study.md. What was measured before, with the same settings, code and weights, is not measured
    again: stopped, the command goes on with what is missing.
    """
    from models.evaluation import session  # noqa: PLC0415

    page = session.run(
        session.Settings(
            detector=detector,
            num_images=num_images,
            image_size=image_size,
            effort=effort,
            encoder=encoder,
            vqgan=vqgan,
            device=device,
            coreset_size=coreset,
            num_coresets=coresets,
            reweight=reweight,
        ),
        session.EvaluationRequest(
            data=data,
            shots=shots,
            num_seeds=seeds,
            rows=row,
            max_test_images=None if all_images else 40,
            kind="guard" if guard else "study" if study else "table",
        ),
        out,
    )
    typer.echo(page.read_text())
