"""The command line: how a run stops, goes on and is measured."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from models.generator.vqgan import load_vqgan
from models.training.train_vqgan import main
from tests.models.training.vqgan.conftest import images, pack_file, pool

pytestmark = pytest.mark.slow
__all__ = ["images", "pack_file", "pool"]

SHAPE = ["--channels", "32", "--codes", "32", "--linear-crops", "2"]
OPTIONS = [*SHAPE, "--batch-size", "2", "--continuous-steps", "2", "--feature-weight", "0"]


# As `python -m models.training.train_vqgan`, but its lines come every four steps and not every 50.
COMMAND = """
from models.training import train_vqgan
from models.training.vqgan import run
run.STEPS_A_LINE = 4
train_vqgan.main()
"""


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", COMMAND, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def train(pack: Path, out: Path, *arguments: str) -> None:
    main(["train", str(pack), str(out), *OPTIONS, "--device", "cpu", *arguments])


def test_a_folder_becomes_a_pack_weights_and_figures(images: Path, tmp_path: Path, capsys):
    pack, out = tmp_path / "crops.pack", tmp_path / "out"
    main(["pack", str(images), str(pack), "--held-out", str(images), "--max-mib", "12"])
    train(pack, out, "--steps", "3")
    capsys.readouterr()
    main(["evaluate", str(out), str(pack)])
    measured = json.loads(capsys.readouterr().out)
    card = json.loads((out / "metrics.json").read_text())
    assert measured == {name: card[name] for name in measured}
    assert set(measured) == {"psnr_db", "l1", "feature_distance", "codes_used"}
    assert (card["steps"], card["crops"], card["recipe"]["seed"]) == (3, 6, 0)
    assert len(card["data_sha256"]) == 64
    assert str(tmp_path) not in json.dumps(card)
    assert load_vqgan(out).config.num_vq_embeddings == 32


def test_a_run_that_was_stopped_makes_the_bytes_of_an_unbroken_one(pack_file: Path, tmp_path: Path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    adversarial = ["--adversarial-weight", "0.5", "--adversarial-start", "3"]
    process = start("train", pack_file, broken, *OPTIONS, *adversarial, "--device", "cpu")
    assert process.stdout is not None
    line = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate()
    assert line.startswith("step 4 "), line + output
    assert process.returncode == 0, output
    stopped_at = json.loads((broken / "metrics.json").read_text())["steps"]
    assert stopped_at >= 4  # the codebook has begun, and the discriminator
    last = str(stopped_at + 3)
    train(pack_file, broken, *adversarial, "--resume", "--steps", last)
    train(pack_file, whole, *adversarial, "--steps", last)
    name = "diffusion_pytorch_model.safetensors"
    assert (broken / name).read_bytes() == (whole / name).read_bytes()
    one, other = (
        torch.load(out / "checkpoint.pt", weights_only=True)["training"] for out in (broken, whole)
    )
    assert one["number"] == other["number"]
    for part in ("model", "average"):
        for key, value in one[part].items():
            assert torch.equal(value, other[part][key]), key


def test_a_run_starts_from_weights_and_says_which(pack_file: Path, tmp_path: Path):
    first, second = tmp_path / "first", tmp_path / "second"
    train(pack_file, first, "--steps", "2")
    train(pack_file, second, "--steps", "0", "--init", str(first))
    for name, value in load_vqgan(first).state_dict().items():
        assert torch.equal(load_vqgan(second).state_dict()[name], value)
    assert json.loads((second / "metrics.json").read_text())["init_sha256"]


@pytest.mark.parametrize("change", [["--lr", "0.5"], ["--init", "FIRST"]])
def test_a_run_is_not_resumed_as_another(pack_file: Path, tmp_path: Path, change: list[str]):
    out = tmp_path / "out"
    train(pack_file, out, "--steps", "1")
    change = [str(out) if each == "FIRST" else each for each in change]
    with pytest.raises(SystemExit, match="a run is resumed as it began"):
        train(pack_file, out, "--resume", "--steps", "2", *change)


def test_only_one_resolution_starts_linear(pack_file: Path, tmp_path: Path):
    with pytest.raises(SystemExit, match="one resolution"):
        train(pack_file, tmp_path / "out", "--channels", "8", "16", "--steps", "1")
    train(pack_file, tmp_path, "--channels", "8", "16", "--linear-crops", "0", "--steps", "1")
    assert json.loads((tmp_path / "metrics.json").read_text())["recipe"]["channels"] == [8, 16]


def test_a_run_ends_in_time(pack_file: Path, tmp_path: Path):
    train(pack_file, tmp_path / "out", "--minutes", "0.02")
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["steps"] >= 1


def test_without_a_gpu_cuda_is_refused(pack_file: Path, tmp_path: Path):
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(SystemExit, match="torch sees no GPU"):
        main(["train", str(pack_file), str(tmp_path / "out"), "--device", "cuda", "--steps", "1"])
