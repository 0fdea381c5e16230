import json
from pathlib import Path

import pytest
import torch

from models.generator.vqgan import VarianceAwareVQModel, load_vqgan
from models.training.vqgan.output import read_checkpoint, write_checkpoint, write_weights


def test_a_checkpoint_comes_back(tmp_path: Path):
    state = {"number": 3, "tensor": torch.arange(4.0)}
    write_checkpoint(tmp_path / "new", state)
    found = read_checkpoint(tmp_path / "new")
    assert found["number"] == 3
    assert torch.equal(found["tensor"], state["tensor"])
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["checkpoint.pt"]


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(tmp_path: Path):
    write_checkpoint(tmp_path, {"number": 1})
    with pytest.raises(AttributeError, match="pickle"):
        write_checkpoint(tmp_path, {"number": lambda: 2})
    assert read_checkpoint(tmp_path) == {"number": 1}


def test_without_a_checkpoint_there_is_nothing_to_resume(tmp_path: Path):
    with pytest.raises(ValueError, match="to resume from"):
        read_checkpoint(tmp_path)


def test_weights_load_and_no_file_names_a_folder_of_this_machine(
    vqgan: VarianceAwareVQModel, tmp_path: Path
):
    write_weights(tmp_path / "first", vqgan, {"steps": 1})
    write_weights(tmp_path / "second", load_vqgan(tmp_path / "first"), {"steps": 2})
    loaded = load_vqgan(tmp_path / "second").state_dict()
    for name, value in vqgan.state_dict().items():
        assert torch.equal(loaded[name], value)
    assert json.loads((tmp_path / "second" / "metrics.json").read_text()) == {"steps": 2}
    for path in (tmp_path / "second").iterdir():
        assert str(tmp_path).encode() not in path.read_bytes()


def test_large_weights_lie_in_shards_and_none_is_left_of_others(
    vqgan: VarianceAwareVQModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("models.training.vqgan.output.SHARD_SIZE", "20KB")
    write_weights(tmp_path, vqgan, {})
    shards = list(tmp_path.glob("*.safetensors"))
    assert len(shards) > 1
    assert torch.equal(load_vqgan(tmp_path).decoder.conv_in.weight, vqgan.decoder.conv_in.weight)
    monkeypatch.undo()
    write_weights(tmp_path, vqgan, {})
    assert len(list(tmp_path.glob("*.safetensors"))) == 1
    assert torch.equal(load_vqgan(tmp_path).decoder.conv_in.weight, vqgan.decoder.conv_in.weight)
