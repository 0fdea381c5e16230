"""`goodmany views`, without a service and with one."""

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from app.http.view_families import ViewFamilies
from app.jobs.store import JobStore
from app.settings import Settings
from models.views.view import INVARIANCES, to_image
from tests.conftest import wait_until
from tests.models.conftest import texture_image
from tests.workers.viewer.test_viewer import LOADED_WITHIN_S, num_registered
from tests.workers.viewer.viewer_process import ViewerProcess
from workers.cli.main import cli


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "steel.png"
    to_image(texture_image(size=96)).save(path)
    return path


def run(*arguments: object) -> str:
    answer = CliRunner().invoke(cli, ["views", *map(str, arguments)])
    assert answer.exit_code == 0, answer.output
    return answer.stdout


@pytest.mark.slow
def test_it_prints_every_family_and_draws_them(image: Path):
    sheet = image.with_name("views.png")
    printed = run(image, "--out", sheet)
    assert "96 x 96 px" in " ".join(printed.split())
    rows = [line.split() for line in printed.splitlines()]
    found = {row[0]: row[1:3] for row in rows if row and row[0] in INVARIANCES}
    assert list(found) == list(INVARIANCES)
    for belief, chosen in found.values():
        assert 0 <= float(belief) <= 1
        assert chosen in ("yes", "no")
    with Image.open(sheet) as picture:
        assert picture.format == "PNG"
        assert picture.height > picture.width / 2


@pytest.mark.slow
def test_a_service_tells_the_same(image: Path, settings: Settings, store: JobStore, api: object):
    viewer = ViewerProcess(settings)
    try:
        wait_until(lambda: num_registered(store) > 0, LOADED_WITHIN_S)
        address = str(api.base_url)  # type: ignore[attr-defined]
        sheet = image.with_name("asked.png")
        printed = run(image, "--json", "--server", address, "--out", sheet)
        asked = ViewFamilies.model_validate(json.loads(printed))
    finally:
        viewer.stop()
    own = ViewFamilies.model_validate(json.loads(run(image, "--json")))
    assert own.families == asked.families
    (told, heard) = (views.inputs[0].model_dump(exclude={"field"}) for views in (own, asked))
    assert told == heard
    with Image.open(sheet) as picture:
        assert picture.format == "PNG"
