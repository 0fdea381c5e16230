import os
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from workers.cli.main import COMMANDS, cli


@pytest.mark.parametrize("name", COMMANDS)
def test_the_summary_is_the_first_sentence_of_the_commands_help(name: str):
    command = typer.main.get_command(cli).commands[name]
    assert command.name == name
    assert " ".join(command.help.partition("\n\n")[0].split()) == COMMANDS[name].summary


def test_the_list_of_commands_names_all_and_imports_none():
    answer = CliRunner().invoke(cli, ["--help"])
    assert answer.exit_code == 0
    assert all(name in answer.output for name in COMMANDS)
    heavy = ("pydantic", "redis", "fastapi", "numpy", "httpx2", "app.settings")
    program = f"""
import sys
from workers.cli.main import cli
try:
    cli(["--help"])
except SystemExit:
    assert not set({heavy}) & set(sys.modules), sorted(set({heavy}) & set(sys.modules))
"""
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


def test_a_command_that_is_not_there_is_told():
    answer = CliRunner().invoke(cli, ["gnerate"])
    assert answer.exit_code == 2
    assert "No such command" in answer.output


def test_without_a_command_the_list_is_shown():
    assert "webhook-secret" in CliRunner().invoke(cli, []).output


@pytest.mark.parametrize(
    ("words", "expected"),
    [("goodmany s", {"serve", "submit", "status", "storage"}), ("goodmany wait --s", {"--server"})],
)
def test_the_shell_completes_commands_and_options(words: str, expected: set[str]):
    program = "from workers.cli.main import cli; cli(prog_name='goodmany')"
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    answer = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **asked, "_GOODMANY_COMPLETE": "complete_bash"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(answer.stdout.split()) == expected
