"""The demo from nothing to its files, with a worker whose method is quick."""

import io
import signal
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image
from rich.console import Console

from app.settings import Settings
from tests.docs.conftest import QUICK_WORKER
from workers.cli.commands.demo import NUM_IMAGES, run_demo
from workers.cli.samples import COINS

QUICK = (QUICK_WORKER, (sys.executable, "-m", "tests.workers.viewer.quick_viewer"))


@pytest.fixture(autouse=True)
def signals():
    """The demo takes SIGTERM for itself."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_it_leaves_a_set_its_report_and_how_it_lies_among_others(tmp_path: Path):
    said = io.StringIO()
    folder = tmp_path / "demo"
    run_demo(Settings(), "coin", folder, Console(file=said, width=200), QUICK)
    assert len(list((folder / "inputs").iterdir())) == len(COINS)
    with ZipFile(folder / "goodmany.zip") as archive:
        assert sum(name.endswith(".png") for name in archive.namelist()) == NUM_IMAGES
    with Image.open(folder / "preview.png") as preview:
        preview.load()
    assert "<html" in (folder / "report.html").read_text()
    printed = said.getvalue()
    assert (folder / "report.html").as_uri() in printed
    # The stand-in's images are noise; the given ones are coins.
    assert "new images: precision 0.00" in printed
    assert "given images: precision 1.00" in printed
