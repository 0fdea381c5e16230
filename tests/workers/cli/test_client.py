"""The client with and without an API key, against the real service."""

from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
import workers.cli.client
from workers.cli.client import Client

from app.access.api_keys import ApiKeys
from app.jobs.store import JobStore
from app.settings import Settings
from tests.app.http.routes.test_jobs import finish
from tests.conftest import encode, texture
from tests.workers.cli.test_main import run_main
from workers.cli.failures import RefusedRequestError


@pytest.fixture
def address(serve_api: Callable[..., httpx2.Client]) -> str:
    return str(serve_api(require_api_key="always").base_url)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "nut.png"
    path.write_bytes(encode(texture()))
    return path


def test_with_a_key_a_job_goes_all_the_way(
    address: str, store: JobStore, settings: Settings, image: Path
):
    _, text = ApiKeys(store.connection).create("a machine")
    with Client(address, text) as client:
        job = client.submit([image], {"object_name": "nut", "prompt": None})
        finish(store, settings, job["id"])
        *_, job = client.follow(job)
        client.download(job["links"]["archive"], image.with_suffix(".zip"))
    assert image.with_suffix(".zip").read_bytes() == b"0123456789"


def test_without_a_key_it_says_what_is_missing(address: str, image: Path):
    missing = pytest.raises(RefusedRequestError, match="A valid API key is needed")
    with Client(address) as client, missing:
        client.submit([image], {"object_name": "nut"})


def test_the_command_line_takes_the_key_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], address: str, image: Path
):
    submit = ["submit", image, "--object-name", "nut", "--out", image.with_suffix(".zip")]
    monkeypatch.setenv("GOODMANY_API_KEY", "gm_0_0")
    assert run_main(monkeypatch, *submit, "--server", address) == 6
    assert "not an API key of this service" in " ".join(capsys.readouterr().err.split())
    monkeypatch.delenv("GOODMANY_API_KEY")
    assert run_main(monkeypatch, *submit, "--server", address) == 6
    assert "Send an API key" in " ".join(capsys.readouterr().err.split())


def test_it_waits_when_it_has_asked_too_often(
    monkeypatch: pytest.MonkeyPatch,
    serve_api: Callable[..., httpx2.Client],
    store: JobStore,
    image: Path,
):
    monkeypatch.setattr(workers.cli.client, "POLL_EVERY_S", 0)
    api = serve_api(require_api_key="always", max_requests_per_minute=60)
    _, text = ApiKeys(store.connection).create("a machine")
    refusals: list[int] = []
    with Client(str(api.base_url), text) as client:
        client.http.event_hooks["response"] = [lambda answer: refusals.append(answer.status_code)]
        job = client.submit([image], {"object_name": "nut"})
        for job in client.follow(job):  # noqa: B020, the same job, later
            if job["state"] == "queued" and (429 in refusals or len(refusals) > 500):
                store.start(job["id"], "attempt")
                store.succeed(job["id"], "attempt", {})
    assert 429 in refusals
    assert job["state"] == "succeeded"
