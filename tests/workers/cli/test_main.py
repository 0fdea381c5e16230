"""The command line: clear words for wrong input, and no torch where none is needed."""

import json
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.conftest import encode, texture
from workers.cli.main import cli, main

pytestmark = pytest.mark.slow


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "nut.png"
    path.write_bytes(encode(texture()))
    return path


def run_main(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["goodmany", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("command", ["serve", "api", "worker", "generate", "submit", "demo"])
def test_every_command_explains_itself(command: str):
    answer = CliRunner().invoke(cli, [command, "--help"])
    assert answer.exit_code == 0
    assert "Usage" in answer.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--object-name", "123"], "object_name: must hold at least one letter"),
        (["--object-name", "nut", "--num-images", "0"], "num_images: Input should be greater"),
        (["--object-name", "nut", "--image-size", "9999"], "image_size: Input should be less"),
        (["--object-name", "nut", "--bit-depth", "17"], "bit_depth: Input should be less"),
    ],
)
def test_a_wrong_option_is_named(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    image: Path,
    options: list[str],
    said: str,
):
    arguments = ["generate", image, "--out", image.with_suffix(".zip"), *options]
    assert run_main(monkeypatch, *arguments) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_an_unusable_file_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    wrong = tmp_path / "wrong.png"
    wrong.write_text("no image")
    out = tmp_path / "out.zip"
    assert run_main(monkeypatch, "generate", wrong, "--object-name", "nut", "--out", out) == 3
    said = "".join(capsys.readouterr().err.split())
    assert "wrong.png:ThecontentisnotPNG,JPEG,BMP,TIFForWebP." in said
    assert not out.exists()


def test_a_missing_model_folder_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], image: Path
):
    monkeypatch.setenv("GOODMANY_VQGAN", "/nowhere/vqgan")
    out = image.with_suffix(".zip")
    assert run_main(monkeypatch, "generate", image, "--object-name", "nut", "--out", out) == 1
    said = capsys.readouterr().err
    assert "no model '/nowhere/vqgan': there is no such folder" in " ".join(said.split())
    assert "Traceback" not in said


def test_generate_writes_the_archive_without_a_server(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], image: Path
):
    # Not when the other tests are collected: it needs torch.
    from tests.models.conftest import small_guard  # noqa: PLC0415

    out = image.parent / "new" / "nut.zip"
    asked = {"object-name": "nut", "num-images": 1, "image-size": 64, "effort": "draft"}
    options = [part for name, value in asked.items() for part in (f"--{name}", str(value))]
    tones = np.asarray(texture(seed=1).convert("L")).astype(np.uint16) * 4
    deep = image.with_name("deep.png")
    deep.write_bytes(encode(Image.fromarray(tones)))
    again = image.with_name("again.png")
    again.write_bytes(image.read_bytes())
    packed = image.with_name("more.zip")
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(again, "line 3/again.png")
    files = [image, deep, packed]
    options += ["--bit-depth", "12"]
    page = image.with_name("report.html")
    options = [*options, "--report", page]
    with small_guard():
        assert run_main(monkeypatch, "generate", *files, "--out", out, *options) == 0
    assert page.read_text().count("data:image/jpeg") >= 4
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        asked_for = json.loads(archive.read("manifest.json"))["request"]
    assert asked_for["bit_depth"] == 12
    assert [one["file"]["white"] for one in asked_for["images"]] == [255, 4095, 255]
    # Not where it lay.
    told = [one["file"]["field"] for one in asked_for["images"]]
    assert told == ["nut.png", "deep.png", "again.png"]
    # A terminal breaks lines wherever it likes.
    said = "".join(capsys.readouterr().out.split())
    assert "nut.png:64x64px,8bit,3channels,white255" in said
    assert "deep.png:64x64px,12bit,1channel,white4095" in said
    assert f"Thesamepixelsas{image}." in said
    assert "prompt:" in said


def test_the_version_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert run_main(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"{version('goodmany')}\n"


def test_the_api_and_the_command_line_do_not_import_torch():
    modules = "app.main, workers.cli.main, goodmany"
    check = f"import sys, {modules}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", check], check=True)
