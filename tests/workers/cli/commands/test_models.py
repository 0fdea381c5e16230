"""`goodmany models`: what is in use, what can be fetched, and whether it is whole."""

import json
import shutil
from pathlib import Path

import pytest
from huggingface_hub import constants
from typer.testing import CliRunner

from models.catalog import embedded
from models.catalog.chosen import chosen
from models.runtime.errors import HubUnreachableError
from tests.models.catalog.hub_folder import cache
from workers.cli.failures import exit_code_of
from workers.cli.main import cli


def run(*arguments: str, code: int = 0) -> str:
    answer = CliRunner().invoke(cli, ["models", *arguments])
    assert answer.exit_code == code, answer.output
    return answer.stdout


def test_the_list_has_every_model_with_its_source_licence_and_digest():
    printed, listed = run("list"), json.loads(run("list", "--json"))
    assert [model["role"] for model in listed] == [model.role for model in chosen()]
    for model in listed:
        assert model["present"]
        assert model["size_bytes"] > 0
        for said in ("name", "purpose", "source", "licence", "revision"):
            assert model[said] in printed


def test_verify_names_the_file_that_is_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert "whole" in run("verify")
    shutil.copytree(embedded.WEIGHTS, tmp_path / "weights")
    monkeypatch.setattr(embedded, "WEIGHTS", tmp_path / "weights")
    damaged = tmp_path / "weights" / "devise" / "model.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"!")
    printed = run("verify", code=1)
    assert str(damaged) in printed
    faults = {
        model["role"]: model["fault"] for model in json.loads(run("verify", "--json", code=1))
    }
    assert [role for role, fault in faults.items() if fault] == ["text_image_encoder"]


def test_there_is_nothing_to_pull_of_what_is_embedded():
    assert "Nothing to pull" in run("pull")
    assert json.loads(run("pull", "--json")) == []


def test_pull_without_a_hub_is_one_sentence_and_a_code_of_its_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GOODMANY_ENCODER", "no-one/no-clip")
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    answer = CliRunner().invoke(cli, ["models", "pull"])
    assert isinstance(answer.exception, HubUnreachableError)
    assert exit_code_of(answer.exception) == 5
    assert "hub cannot be reached" in str(answer.exception)


def test_a_model_of_a_hub_that_is_not_here_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GOODMANY_VQGAN", "owner/ldm:vqvae")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert "vqgan: owner/ldm:vqvae is not on this machine" in run("verify", code=1)
    assert "NOT HERE" in run("list")
    cache(tmp_path, "owner/ldm", {"vqvae/model.safetensors": b"weights"})
    assert "vqgan: whole" in run("verify")
