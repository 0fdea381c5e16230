"""Whether commands in the docs that are not run could be: reads them as their programs would.

Paths of images are those of the folder that this runs in; all others belong to the repository.
"""

import importlib.util
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer
import yaml

from app.settings import Settings
from tests.docs.pages import ROOT
from workers.cli.main import cli

ASSIGNMENT = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)", re.DOTALL)
COMPOSE_FLAGS = {
    "up": {"--build", "--detach", "--no-deps"},
    "build": set(),
    "exec": set(),
    "logs": {"--follow"},
}
KUBERNETES = ROOT / "docker" / "kubernetes"


def commands(code: str) -> list[list[str]]:
    """The words of each command of a console block; comments and continuations are resolved."""
    lines = code.replace("\\\n", " ").splitlines()
    split = (shlex.split(line, comments=True) for line in lines)
    return [words for words in split if words]


def check(words: list[str]) -> None:
    """Fails unless the command could be run.

    Raises:
        AssertionError: something in it does not exist, or its program is not known here.
    """
    while assignment := ASSIGNMENT.fullmatch(words[0]):
        check_variable(assignment[1])
        words = words[1:]
    program, *arguments = words
    assert program in PROGRAMS, f"{program!r} cannot be checked: {words}"
    PROGRAMS[program](arguments)


def check_variable(name: str) -> None:
    """A variable that goodmany reads."""
    if name.startswith("GOODMANY_"):
        assert name.removeprefix("GOODMANY_").lower() in Settings.model_fields, name
    else:
        assert name in (ROOT / "docker-compose.yml").read_text(), name


def check_goodmany(arguments: list[str]) -> None:
    """A command with options and values that it takes; files that it reads must be there."""
    command: Any = typer.main.get_command(cli)
    while hasattr(command, "commands"):
        name, *arguments = arguments
        assert name in command.commands, name
        command = command.commands[name]
    command.make_context(command.name, arguments)


def check_make(arguments: list[str]) -> None:
    """A target, and variables that the Makefile reads."""
    for argument in arguments:
        if assignment := ASSIGNMENT.fullmatch(argument):
            assert f"$({assignment[1]})" in (ROOT / "Makefile").read_text(), argument
    subprocess.run(
        ["make", "--dry-run", "--assume-old=.venv/.installed", *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "MAKEFLAGS"},
        capture_output=True,
        check=True,
    )


def check_python(arguments: list[str]) -> None:
    """A module of ours whose source knows the options."""
    assert arguments[0] == "-m", arguments
    module, options = arguments[1], [a for a in arguments[2:] if a.startswith("--")]
    spec = importlib.util.find_spec(module)
    if spec is not None and spec.submodule_search_locations:
        spec = importlib.util.find_spec(f"{module}.__main__")
    assert spec is not None, module
    assert spec.origin is not None, module
    source = Path(spec.origin).read_text()
    for option in options:
        assert f'"{option.partition("=")[0]}"' in source, option


def check_docker(arguments: list[str]) -> None:
    """`docker compose` with profiles and services of the compose file, or `docker build`."""
    tool, *arguments = arguments
    if tool == "build":
        assert (ROOT / arguments[arguments.index("--file") + 1]).is_file()
        return
    assert tool == "compose", tool
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    profiles = {name for service in services.values() for name in service.get("profiles", [])}
    while arguments[0] == "--profile":
        assert arguments[1] in profiles, arguments
        arguments = arguments[2:]
    action, *arguments = arguments
    assert action in COMPOSE_FLAGS, action
    while arguments and arguments[0].startswith("--"):
        flag, *arguments = arguments
        if flag == "--scale":
            name, *arguments = arguments
            assert name.partition("=")[0] in services, name
        else:
            assert flag in COMPOSE_FLAGS[action], flag
    if action == "exec":
        service, *inner = arguments
        assert service in services, service
        check(inner)
    else:
        assert set(arguments) <= services.keys(), arguments


def check_kubectl(arguments: list[str]) -> None:
    """What is applied, made or entered stands in the manifests."""
    manifests = [
        manifest
        for path in (KUBERNETES / "base").iterdir()
        for manifest in yaml.safe_load_all(path.read_text())
    ]
    names = {(m["kind"].lower(), m["metadata"]["name"]) for m in manifests if "metadata" in m}
    if arguments[0] == "-n":
        assert ("namespace", arguments[1]) in names, arguments
        arguments = arguments[2:]
    match arguments:
        case ["apply", "-k", folder]:
            assert (ROOT / folder / "kustomization.yaml").is_file(), folder
        case ["create", "namespace", name]:
            assert ("namespace", name) in names, name
        case ["create", "secret", "generic", _, *literals]:
            assert all(literal.startswith("--from-literal=") for literal in literals)
        case ["exec", place, "--", *inner]:
            assert place.startswith("deploy/"), place
            assert ("deployment", place.removeprefix("deploy/")) in names, place
            check(inner)
        case _:
            raise AssertionError(f"kubectl {arguments} cannot be checked")


PROGRAMS: dict[str, Callable[[list[str]], None]] = {
    "make": check_make,
    "docker": check_docker,
    "kubectl": check_kubectl,
    "goodmany": check_goodmany,
    ".venv/bin/goodmany": check_goodmany,
    ".venv/bin/python": check_python,
    ".ci/run": lambda arguments: None,
}
