"""`goodmany models`: what a worker with these settings loads; torch is needed for `pull` alone."""

import json
from typing import Annotated, Any

import typer

from app.settings import Settings
from models.catalog.chosen import chosen, is_on_hub
from models.catalog.entry import Model

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

model_commands = typer.Typer(
    help="The models: which a worker uses, where they come from, and whether they are whole.",
    no_args_is_help=True,
)


@model_commands.command(name="list")
def list_models(as_json: Json = False) -> None:
    """Says of each model what it is for, where it comes from, its licence, size and digests."""
    models = _chosen()
    if as_json:
        _print_json([describe(model) for model in models])
        return
    for model in models:
        typer.echo(f"{model.role}: {model.name}{'' if model.is_present else ', NOT HERE'}")
        typer.echo(f"  {model.purpose}")
        licence = model.licence or "as its publisher says"
        typer.echo(f"  {model.source}, {model.size_bytes / 1e6:.1f} MB, licence: {licence}")
        typer.echo(f"  {model.revision or 'revision unknown'}")
        if model.better:
            typer.echo(f"  where a hub can be reached, better: {model.setting}={model.better}")


@model_commands.command()
def pull(as_json: Json = False) -> None:
    """Fetches what the settings name of a model hub and this machine lacks."""
    settings = Settings()
    for model in filter(is_on_hub, _chosen()):
        # What it is loaded by is what knows which files it needs.
        if model.role == "vqgan":
            from models.generator.vqgan import load_vqgan  # noqa: PLC0415

            load_vqgan(settings.vqgan)
        else:
            from models.encoder.protocol import load_encoder  # noqa: PLC0415

            load_encoder(settings.encoder)
    pulled = [model for model in _chosen() if is_on_hub(model)]
    if as_json:
        _print_json([describe(model) for model in pulled])
        return
    for model in pulled:
        typer.echo(f"{model.role}: {model.name}, revision {model.revision}, is here.")
    if not pulled:
        typer.echo(
            "Nothing to pull: the settings name no model of a hub "
            f"(GOODMANY_ENCODER={settings.encoder}, GOODMANY_VQGAN={settings.vqgan})."
        )


@model_commands.command()
def verify(as_json: Json = False) -> None:
    """Reads every model through and compares its digests; a fault is exit code 1."""
    models = _chosen()
    faults = {model.role: _fault_of(model) for model in models}
    if as_json:
        _print_json([describe(model) | {"fault": faults[model.role]} for model in models])
    else:
        for model in models:
            whole = "whole" if model.is_comparable else "here; there is no digest to compare with"
            typer.echo(f"{model.role}: {faults[model.role] or whole}")
    if any(faults.values()):
        raise typer.Exit(1)


def describe(model: Model) -> dict[str, Any]:
    """The model as JSON."""
    return {
        "role": model.role,
        "name": model.name,
        "purpose": model.purpose,
        "source": model.source,
        "revision": model.revision,
        "licence": model.licence,
        "size_bytes": model.size_bytes,
        "present": model.is_present,
        "setting": model.setting,
        "better": model.better,
        "files": [
            {"path": None if file.path is None else str(file.path), "digest": file.digest}
            for file in model.files
        ],
    }


def _chosen() -> list[Model]:
    settings = Settings()
    return chosen(settings.encoder, settings.vqgan)


def _fault_of(model: Model) -> str | None:
    try:
        model.check()
    except RuntimeError as error:
        return str(error)
    return None


def _print_json(document: object) -> None:
    typer.echo(json.dumps(document, indent=2))
