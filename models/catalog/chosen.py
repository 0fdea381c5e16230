"""The models that the settings choose: what a manifest names, and what an operator is told."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from models.catalog import embedded
from models.catalog.entry import Model, ModelFile

EMBEDDED = "embedded"


def chosen(encoder: str = EMBEDDED, vqgan: str = EMBEDDED) -> list[Model]:
    """Every model of a worker with these settings, in the order in which it meets them.

    Args:
        encoder: `embedded`, a folder, or a model hub's id of a CLIP.
        vqgan: `embedded`, a folder, or a model hub's `owner/name[:subfolder]`.
    """
    text_image, reader = embedded.devise_map(), [embedded.sentence_encoder()]
    if encoder != EMBEDDED:
        text_image, reader = _other(text_image, encoder), []
    draws = embedded.vqgan()
    if vqgan != EMBEDDED:
        draws = _other(draws, vqgan)
    return [text_image, *reader, draws, embedded.patch_features(), embedded.wordnet()]


def is_on_hub(model: Model) -> bool:
    """Whether the settings name it by a hub's id."""
    return model.source.startswith("hub:")


def tell_in_use(models: Sequence[Model]) -> str:
    """One line: which models are in use, and what may be better by which setting."""
    in_use = ", ".join(f"{model.role} {model.name}" for model in models)
    better = " and ".join(f"{model.setting}={model.better}" for model in models if model.better)
    told = f"models in use: {in_use}"
    return f"{told}; where a hub can be reached, better: {better}" if better else told


def names_folder(source: str) -> bool:
    """Whether a setting means a folder, there or not, and no hub's id."""
    return source.startswith(("/", ".", "~")) or Path(source).exists()


def _other(model: Model, name: str) -> Model:
    """What the setting names in the embedded model's place."""
    other = replace(model, name=name, licence=None, better=None, files=(), revision=None)
    if names_folder(name):
        weights = sorted(Path(name).glob("*.safetensors"))
        files = tuple(ModelFile(file) for file in weights)
        revision = files[0].measure() if files else None
        return replace(other, source="a folder of yours", files=files, revision=revision)
    from models.catalog.hub import cached_files  # noqa: PLC0415, the API's image has no hub client

    repository, _, subfolder = name.partition(":")
    commit, files = cached_files(repository, subfolder)
    return replace(other, source=f"hub:{repository}", files=files, revision=commit)
