import shlex
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from models.evaluation.command import evaluate
from tests.models.evaluation.conftest import paint_category

app = typer.Typer()
app.command()(evaluate)


def test_the_command_measures_and_resumes(category_folder, tmp_path):
    arguments = [str(category_folder), "--row", "real", "--seeds", "1", "--coreset", "200"]
    first = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path)])
    assert first.exit_code == 0, first.output
    assert "| real | 1.000 |" in first.stdout
    written = (tmp_path / "cells.csv").stat().st_mtime_ns
    again = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path)])
    assert again.stdout == first.stdout
    assert (tmp_path / "cells.csv").stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "no category"),
        (["textile", "--row", "magic"], "no row 'magic'"),
        (["textile", "--row", "real", "--shots", "61"], "60 training images"),
        (["textile", "--invariance", "spin"], "'spin' is no invariance; known: rotate, "),
    ],
)
def test_a_wrong_wish_is_a_clear_error(arguments, message, tmp_path):
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path)])
    assert isinstance(result.exception, ValueError)
    assert message in str(result.exception)


def test_importing_the_command_does_not_import_torch():
    code = "import sys, models.evaluation.command; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("names", [["rotate_90", "flip_vertical"], ["none"]])
def test_the_command_measures_fidelity_by_the_same_command_again(names, tmp_path):
    folder = paint_category(tmp_path / "tile", num_train=13)
    words = ["--fidelity", "--row", "given", "--row", "small", "--seeds", "1", "--num-images", "2"]
    told = [word for name in names for word in ("--invariance", name)]
    out = ["--out", str(tmp_path / "results")]
    first = CliRunner().invoke(app, [str(folder), *words, *told, "--detector", "none", *out])
    assert first.exit_code == 0, first.output
    command = next(line for line in first.stdout.splitlines() if line.startswith("goodmany "))
    assert "--image-size" not in command  # as large as the real ones, as the product delivers them
    assert shlex.join(told) in command
    program, name, *arguments = shlex.split(command)
    assert (program, name) == ("goodmany", "evaluate")
    again = CliRunner().invoke(app, [*arguments, *out])
    assert again.stdout == first.stdout


def test_only_fidelity_goes_without_a_detector(category_folder):
    result = CliRunner().invoke(app, [str(category_folder), "--detector", "none"])
    assert result.exit_code == 2
    assert "only --fidelity" in result.output


def test_the_help_says_what_an_option_is_when_it_is_not_given():
    shown = CliRunner().invoke(app, ["--help"], terminal_width=200, color=False).output
    words = " ".join(shown.replace("│", " ").split())
    for default in (
        "default: all",
        "default: 3; 5",
        "default: 24; 32",
        "default: 224; with --fidelity",
    ):
        assert default in words
