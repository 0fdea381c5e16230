import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from models.evaluation.command import evaluate

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
    ],
)
def test_a_wrong_wish_is_a_clear_error(arguments, message, tmp_path):
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path)])
    assert isinstance(result.exception, ValueError)
    assert message in str(result.exception)


def test_importing_the_command_does_not_import_torch():
    code = "import sys, models.evaluation.command; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
