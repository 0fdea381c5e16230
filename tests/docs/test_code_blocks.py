"""Every code block of README and docs does what a reader who pastes it expects.

`sh` and `python` blocks of a page run in its order, in one shell and one folder, against a running
service. What takes too long or needs another machine is `console`, which is read word by word: each
command, option, file and target must exist. Excerpts and examples (`json`, `yaml`, `dotenv`) are
compared with what they are of. Only `text` and `bibtex` are not looked into.
"""

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from app.jobs.deliveries import Delivery
from app.jobs.events import JobEvent
from app.jobs.model import Job, ProblemDetails
from app.settings import Settings
from tests.docs import console
from tests.docs.conftest import RunningService
from tests.docs.pages import PAGES, ROOT, Block, blocks
from workers.cli.samples import save_sample

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RUN = ("sh", "python")
MODELS: dict[str, type[BaseModel]] = {
    model.__name__: model for model in (Delivery, Job, JobEvent, ProblemDetails)
}
DOCUMENTED_HOST = "127.0.0.1:8000"
# What other programs read from the environment.
FOREIGN_VARIABLES = ("AWS_", "OTEL_")


def check_json(block: Block) -> None:
    """An example of the model that is named behind the language."""
    MODELS[block.about].model_validate_json(block.code)


def check_yaml(block: Block) -> None:
    """A part of the file that is named behind the language."""
    whole, part = yaml.safe_load((ROOT / block.about).read_text()), yaml.safe_load(block.code)
    assert {name: whole.get(name) for name in part} == part


def check_dotenv(block: Block) -> None:
    """Settings with values that they may have."""
    pairs = dict(line.split("=", 1) for line in block.code.splitlines() if line[:1] not in "#")
    own = {name: value for name, value in pairs.items() if name.startswith("GOODMANY_")}
    assert all(name.startswith(FOREIGN_VARIABLES) for name in pairs.keys() - own.keys())
    fields = {name.removeprefix("GOODMANY_").lower(): value for name, value in own.items()}
    assert fields.keys() <= Settings.model_fields.keys()
    Settings.model_validate(fields)


def check_console(block: Block) -> None:
    """Commands that could be run."""
    for command in console.commands(block.code):
        console.check(command)


def check_text(block: Block) -> None:
    """Nothing that somebody would paste into a shell."""
    first_words = {line.split()[0] for line in block.code.splitlines() if line.strip()}
    assert not first_words & {"curl", "docker", "goodmany", "make", "pip", "python"}


CHECKS: dict[str, Callable[[Block], None]] = {
    "json": check_json,
    "yaml": check_yaml,
    "dotenv": check_dotenv,
    "console": check_console,
    "text": check_text,
    "bibtex": check_text,
}
BLOCKS = [block for page in PAGES for block in blocks(page)]


@pytest.fixture(scope="module")
def after_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the images that `make demo` leaves."""
    folder = tmp_path_factory.mktemp("demo")
    save_sample("brick", folder / "demo" / "inputs")
    return folder


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_every_block_is_of_a_kind_that_is_run_or_checked(
    block: Block, after_demo: Path, monkeypatch: pytest.MonkeyPatch
):
    assert block.language in (*RUN, *CHECKS), f"{block.place}: {block.language!r}"
    monkeypatch.chdir(after_demo)
    if block.language not in RUN:
        CHECKS[block.language](block)


def test_the_readmes_first_job_works_with_the_real_models(
    real_service: RunningService, tmp_path: Path
):
    run_page("README.md", real_service, tmp_path)
    assert list(tmp_path.glob("*.zip"))


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES[1:] if any(block.language in RUN for block in blocks(page))],
)
def test_the_pages_code_runs(page: str, quick_service: RunningService, tmp_path: Path):
    run_page(page, quick_service, tmp_path)


def run_page(page: str, service: RunningService, folder: Path) -> None:
    """Runs all blocks of a page, where `make demo` and `make serve` have been before."""
    save_sample("brick", folder / "demo" / "inputs")
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
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"},
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
