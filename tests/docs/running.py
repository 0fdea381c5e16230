"""Runs the code blocks of a page as a reader would who pastes one after the other."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.conftest import missing_tool
from tests.docs.conftest import RunningService
from tests.docs.pages import ROOT, blocks
from workers.cli.samples import save_sample

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RUN = ("sh", "python")
DOCUMENTED_HOST = "127.0.0.1:8000"


def run_page(page: str, service: RunningService, folder: Path) -> None:
    """Runs all blocks of a page in one shell, after a `make demo` and with a `make serve`."""
    for tool in ("bash", "curl", "jq"):
        if shutil.which(tool) is None:
            missing_tool(f"{tool} is not installed")
    save_sample("coin", folder / "demo" / "inputs")
    install(folder / ".venv" / "bin")
    (folder / "data").symlink_to(service.data_dir)
    script = ["set -Eeuo pipefail", """trap 'echo "$block failed" >&2' ERR"""]
    for block in blocks(page):
        if block.language in RUN:
            code = block.code.replace(DOCUMENTED_HOST, service.host)
            script += [f"block={block.place}", as_shell(block.language, code)]
    answer = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/app/client", "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert answer.returncode == 0, f"{answer.stderr[-2000:]}\n{answer.stdout[-2000:]}"


def install(folder: Path) -> None:
    """Python and the console scripts of the project as it stands now, installed or not."""
    folder.mkdir(parents=True)
    for name, entry in {"python": "", **PROJECT["scripts"]}.items():
        module, _, function = entry.partition(":")
        call = f"-c 'from {module} import {function}; {function}()' " if entry else ""
        (folder / name).write_text(f'#!/bin/sh\nexec {sys.executable} {call}"$@"\n')
        (folder / name).chmod(0o755)


def as_shell(language: str, code: str) -> str:
    """The code as a part of a shell script."""
    if language == "sh":
        return code
    return f".venv/bin/python - <<'END_OF_PYTHON'\n{code}END_OF_PYTHON"
