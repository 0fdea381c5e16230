"""The command line of the evaluation; torch is imported only when it runs."""

from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import typer

Kind = Literal["table", "guard", "study", "fidelity"]


class Defaults(NamedTuple):
    """What an option is when it is not given."""

    num_seeds: int
    num_images: int
    image_size: int | None
    num_coresets: int


DEFAULTS = Defaults(num_seeds=3, num_images=24, image_size=224, num_coresets=3)
# As the product delivers them; more draws in place of several memories.
FIDELITY_DEFAULTS = Defaults(num_seeds=5, num_images=32, image_size=None, num_coresets=1)


def evaluate(  # noqa: PLR0917  typer reads the options from the signature
    data: Annotated[
        list[str], typer.Argument(help="A category, a folder of categories, or 'textile'.")
    ],
    shots: Annotated[list[int], typer.Option(help="Real images; repeat for several.")] = [1],  # noqa: B006
    seeds: Annotated[
        int | None,
        typer.Option(min=1, help="Draws of the real images. (default: 3; 5 with --fidelity)"),
    ] = None,
    row: Annotated[
        list[str] | None,
        typer.Option(help="A row of the table, or module:function; repeatable. (default: all)"),
    ] = None,
    detector: Annotated[
        Literal["patchcore", "none"],
        typer.Option(help="The detector; none, with --fidelity, measures no AUROC."),
    ] = "patchcore",
    num_images: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Images that a generating row adds for each real one; with --fidelity in all. "
            "(default: 24; 32 with --fidelity)",
        ),
    ] = None,
    image_size: Annotated[
        int | None,
        typer.Option(
            help="Long side of generated images in px. (default: 224; with --fidelity that of the "
            "first real image, as the product has it)"
        ),
    ] = None,
    effort: Annotated[str, typer.Option(help="draft, standard or high.")] = "standard",
    invariance: Annotated[
        list[str] | None,
        typer.Option(
            help="What may vary, in place of what the images say, as a job is told; repeatable; "
            "none for nothing."
        ),
    ] = None,
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
        int | None,
        typer.Option(
            min=1,
            help="Draws of that memory that a figure is the mean of. "
            "(default: 3; 1 with --fidelity)",
        ),
    ] = None,
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
    fidelity: Annotated[
        bool,
        typer.Option(
            "--fidelity",
            help="Measure whether the images look like what the line makes: precision and coverage "
            "against real images that nothing was made from, and AUROC, on two networks, with a "
            "contact sheet a category.",
        ),
    ] = False,
) -> None:
    """Measures what generated images are worth to a detector, on DATA in the MVTec layout.

    Writes results.md, results.csv and plots to the folder, with --fidelity fidelity.md,
    fidelity.csv and contact sheets, with --guard or --study guard.md or study.md. What was measured
    before, with the same settings, code and weights, is not measured again: stopped, the command
    goes on with what is missing.
    """
    from models.evaluation import session  # noqa: PLC0415

    kind: Kind = "fidelity" if fidelity else "guard" if guard else "study" if study else "table"
    if detector == "none" and kind != "fidelity":
        raise typer.BadParameter("only --fidelity measures without a detector")
    defaults = FIDELITY_DEFAULTS if fidelity else DEFAULTS
    page = session.run(
        session.Settings(
            detector=detector,
            num_images=num_images or defaults.num_images,
            image_size=image_size or defaults.image_size,
            effort=effort,
            invariances=() if invariance == ["none"] else tuple(invariance or ()) or None,
            encoder=encoder,
            vqgan=vqgan,
            device=device,
            coreset_size=coreset,
            num_coresets=coresets or defaults.num_coresets,
            reweight=reweight,
        ),
        session.EvaluationRequest(
            data=data,
            shots=shots,
            num_seeds=seeds or defaults.num_seeds,
            rows=row,
            max_test_images=None if all_images else 40,
            kind=kind,
        ),
        out,
    )
    typer.echo(page.read_text())
