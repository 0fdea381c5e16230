"""What the settings choose: embedded, a folder, or what a hub's cache holds."""

from pathlib import Path

import pytest
from huggingface_hub import constants

from models.catalog.chosen import chosen, is_on_hub, tell_in_use
from models.catalog.entry import Model
from tests.models.catalog.hub_folder import CONVERTED, MAIN, cache

CLIP = {"config.json": b"{}", "model.safetensors": b"clip's weights"}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "hub"
    folder.mkdir()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    return folder


def first(**named: str) -> Model:
    return next(model for model in chosen(**named) if model.setting in settings(named))


def settings(named: dict[str, str]) -> set[str]:
    return {f"GOODMANY_{name.upper()}" for name in named}


def test_roles_are_distinct_and_another_encoder_reads_for_itself(tmp_path: Path):
    roles = [model.role for model in chosen()]
    assert len(set(roles)) == len(roles) == 5
    assert set(roles) - {model.role for model in chosen(str(tmp_path))} == {"sentence_encoder"}


def test_a_folders_revision_is_its_weights_digest(tmp_path: Path):
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"one")
    one = first(encoder=str(tmp_path))
    weights.write_bytes(b"two")
    two = first(encoder=str(tmp_path))
    assert one.revision != two.revision
    assert not two.is_comparable
    assert not is_on_hub(two)


def test_a_cached_model_is_its_commit_and_every_file_of_it_is_known(hub: Path):
    cache(hub, "owner/clip", CLIP)
    model = first(encoder="owner/clip")
    assert is_on_hub(model)
    assert model.is_present
    assert model.revision == MAIN
    assert len(model.files) == 2
    model.check()
    (damaged,) = (hub / "models--owner--clip/blobs").glob("?" * 64)
    damaged.write_bytes(b"other weights")
    with pytest.raises(RuntimeError, match=r"model\.safetensors"):
        model.check()


def test_weights_that_the_hub_converted_are_taken_from_where_they_lie(hub: Path):
    cache(hub, "owner/clip", {"config.json": b"{}"})
    assert not first(encoder="owner/clip").is_present
    cache(hub, "owner/clip", CLIP, commit=CONVERTED, ref="refs/pr/1")
    assert first(encoder="owner/clip").revision == CONVERTED


def test_of_a_subfolder_only_its_files_count(hub: Path):
    cache(hub, "owner/ldm", {"unet/a.safetensors": b"much", "vqvae/b.safetensors": b"little"})
    (file,) = first(vqgan="owner/ldm:vqvae").files
    assert file.path is not None
    assert file.path.name == "b.safetensors"
    assert not first(vqgan="owner/ldm:text").is_present


def test_what_nobody_has_fetched_is_absent(hub: Path):
    for model in (first(encoder="no-one/clip"), first(vqgan="no-one/vq:vqvae")):
        assert not model.is_present
        assert model.revision is None


def test_a_folder_that_is_not_there_is_no_hubs_id(hub: Path):
    model = first(encoder="/nowhere/clip")
    assert not is_on_hub(model)
    assert not model.is_present
    with pytest.raises(RuntimeError, match="/nowhere/clip is not on this machine"):
        model.check()


def test_better_ones_are_told_of_what_is_embedded_alone(tmp_path: Path):
    told = tell_in_use(chosen())
    assert "text_image_encoder devise" in told
    assert told.count("GOODMANY_") == 2
    assert "GOODMANY_" not in tell_in_use(chosen(str(tmp_path), str(tmp_path)))
