"""Every code block of README and docs does what a reader who pastes it expects.

`sh` and `python` blocks of a page run in its order, in one shell and one folder, against a running
service; README's in `test_first_job.py`. What takes too long or needs another machine is `console`,
which is read word by word: each command, option, file and target must exist. Excerpts and examples
(`json`, `yaml`, `dotenv`) are compared with what they are of. In `text` and `bibtex` there is
nothing to run.
"""

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
from tests.docs.running import RUN, run_page
from workers.cli.samples import save_sample

pytestmark = pytest.mark.slow

MODELS: dict[str, type[BaseModel]] = {
    model.__name__: model for model in (Delivery, Job, JobEvent, ProblemDetails)
}
# What other programs read from the environment.
FOREIGN_VARIABLES = ("AWS_", "OTEL_", "REDIS_")


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
    save_sample("coin", folder / "demo" / "inputs")
    return folder


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_every_block_is_of_a_kind_that_is_run_or_checked(
    block: Block, after_demo: Path, monkeypatch: pytest.MonkeyPatch
):
    assert block.language in (*RUN, *CHECKS), f"{block.place}: {block.language!r}"
    monkeypatch.chdir(after_demo)
    if block.language not in RUN:
        CHECKS[block.language](block)


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES[1:] if any(block.language in RUN for block in blocks(page))],
)
def test_the_pages_code_runs(page: str, quick_service: RunningService, tmp_path: Path):
    run_page(page, quick_service, tmp_path)
