"""The commands that ask a service for a job, from `submit` to `list`, against the real one."""

import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.access.api_keys import ApiKeys
from goodmany import Client
from tests.app.client.held_by_name import HELD
from tests.app.client.service import Service, running
from tests.conftest import encode, texture
from tests.workers.cli.test_main import run_main
from tests.workers.generation.held_pipeline import GO_KEY, HELD_KEY
from tests.workers.generation.quick_pipeline import FAILING


@dataclass(frozen=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> object:
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("cli")) as service:
        yield service


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "nut.png"
    path.write_bytes(encode(texture()))
    return path


@pytest.fixture
def run(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs a command for the service that the environment names."""
    monkeypatch.setenv("GOODMANY_SERVER", service.address)

    def run(*arguments: object) -> Said:
        capsys.readouterr()
        code = run_main(monkeypatch, *arguments)
        said = capsys.readouterr()
        return Said(code, said.out, " ".join(said.err.split()))

    return run


@pytest.fixture(scope="module")
def done(service: Service) -> str:
    """The id of a job that has succeeded."""
    with Client(service.address) as client:
        return client.generate(texture(), "nut", num_images=3, seed=9).job.id


def test_a_zip_is_submitted_and_understood(run: Run, image: Path):
    path = image.with_name("parts.zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(image, "line 3/nut.png")
        archive.writestr("line 3/other.png", encode(texture(seed=1)))
        archive.writestr("notes.txt", "no image")
    submitted = run("submit", path, "--object-name", "nut", "--num-images", 2)
    assert submitted.code == 0
    assert f"{path}/line 3/nut.png: 64 x 64 px" in submitted.err
    assert run("wait", submitted.out.strip()).out == "succeeded\n"
    path.write_bytes(path.read_bytes()[:-9])
    refused = run("submit", path, "--object-name", "nut")
    assert refused.code == 3
    assert "The ZIP is broken" in refused.err


def test_images_in_a_bucket_are_the_services_to_fetch(run: Run):
    refused = run("submit", "--images-url", "s3://line-3/good/", "--object-name", "nut")
    assert refused.code == 6
    assert "images_url: this service takes no images from a bucket" in refused.err
    nothing = run("submit", "--object-name", "nut")
    assert (nothing.code, nothing.err) == (
        2,
        "goodmany: Name at least one image, or an --images-url.",
    )


def test_submit_prints_the_id_and_the_others_take_it(run: Run, image: Path, tmp_path: Path):
    submitted = run("submit", image, "--object-name", "nut", "--num-images", 2)
    assert submitted.code == 0
    job_id = submitted.out.strip()
    assert submitted.out == f"{job_id}\n"
    assert "nut.png: 64 x 64 px" in submitted.err
    waited = run("wait", job_id)
    assert (waited.code, waited.out) == (0, "succeeded\n")
    assert "archive 100%" in waited.err
    out = tmp_path / "new" / "nut.zip"
    assert run("download", job_id, "--out", out).out == f"{out}\n"
    assert run("submit", image, "--object-name", "nut", "--num-images", 2, "--out", out).code == 0
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None


def test_submit_with_out_prints_the_id_alone_and_waits(run: Run, image: Path, tmp_path: Path):
    out = tmp_path / "nut.zip"
    said = run("submit", image, "--object-name", "nut", "--num-images", 2, "--out", out)
    assert said.code == 0
    assert len(said.out.split()) == 1
    assert "2 of 2 images:" in said.err
    assert zipfile.is_zipfile(out)


def test_status_says_how_a_job_stands(run: Run, done: str):
    said = run("status", done)
    facts = dict(line.split(maxsplit=1) for line in said.out.splitlines())
    assert facts["id"] == done
    assert facts["state"] == "succeeded"
    assert facts["images"] == "3 of 3, 64 x 64 px"


def test_every_command_prints_json(run: Run, image: Path, done: str, tmp_path: Path):
    accepted = run("submit", image, "--object-name", "json nut", "--num-images", 1, "--json")
    job_id = accepted.document["id"]
    assert run("wait", job_id, "--json").document["state"] == "succeeded"
    assert run("status", job_id, "--json").document["id"] == job_id
    out = tmp_path / "nut.zip"
    assert run("download", job_id, "--out", out, "--json").document["num_images"] == 1
    listed = run("list", "--object-name", "JSON nut", "--json").document
    assert [job["id"] for job in listed] == [job_id]
    assert run("delete", job_id, "--json").document["state"] == "expired"
    both = run("submit", image, "--object-name", "nut", "--num-images", 1, "--out", out, "--json")
    first, last = (json.loads(line) for line in both.out.splitlines())
    assert first["id"] == last["id"]
    assert (first["state"], last["state"]) == ("queued", "succeeded")


def test_files_are_downloaded_each_by_its_name(run: Run, done: str, tmp_path: Path):
    names = {"out": "nut.zip", "preview": "nut.png", "report": "nut.html"}
    options = [part for name, file in names.items() for part in (f"--{name}", tmp_path / file)]
    assert run("download", done, *options, "--without", "0,2").code == 0
    with zipfile.ZipFile(tmp_path / "nut.zip") as archive:
        assert [name for name in archive.namelist() if name.endswith(".png")] == [
            "nut/train/good/001.png"
        ]
    assert run("download", done, "--out", tmp_path / "flat.zip", "--flat").code == 0
    with zipfile.ZipFile(tmp_path / "flat.zip") as archive:
        assert archive.namelist() == [f"nut-{number:03d}.png" for number in range(3)]
    assert (tmp_path / "nut.png").read_bytes().startswith(b"\x89PNG")
    assert "<html" in (tmp_path / "nut.html").read_text()
    assert run("download", done).code == 2


def test_jobs_are_canceled_listed_and_deleted(run: Run, image: Path):
    ids = [
        run("submit", image, "--object-name", "a listed nut", "--num-images", 500).out.strip()
        for _ in range(3)
    ]
    for job_id in ids:
        assert run("cancel", job_id).out == "canceled\n"
    said = run("list", "--object-name", "a listed nut", "--state", "canceled", "--limit", 2)
    lines = said.out.splitlines()
    assert [line.split()[0] for line in lines] == ids[:0:-1]
    assert all("canceled" in line and "a listed nut" in line for line in lines)
    assert run("delete", ids[0]).out == "expired\n"
    assert run("wait", ids[1]).code == 7


def test_what_goes_wrong_has_its_code(run: Run, image: Path, done: str, tmp_path: Path):
    assert run("status", "0" * 32).code == 6
    assert run("status", "no id").code == 2
    assert run("cancel", done).code == 6
    broken = run("submit", image, "--object-name", FAILING, "--out", tmp_path / "out.zip")
    assert broken.code == 7
    assert "0 of 4 images passed" in broken.err
    assert not (tmp_path / "out.zip").exists()
    failed = broken.out.strip()
    assert run("download", failed, "--out", tmp_path / "out.zip").code == 7
    empty = tmp_path / "empty.png"
    empty.touch()
    said = run("submit", empty, "--object-name", "nut")
    assert (said.code, said.out) == (3, "")
    assert run("status", done, "--server", "http://127.0.0.1:1").code == 5
    assert run("status", done, "--server", "nonsense").code == 2


def test_the_key_is_taken_from_the_environment(
    run: Run, service: Service, image: Path, monkeypatch: pytest.MonkeyPatch
):
    _, text = ApiKeys(service.connection).create("a machine")
    with service.other(require_api_key="always") as address:
        submit = ("submit", image, "--object-name", "nut", "--server", address)
        monkeypatch.setenv("GOODMANY_API_KEY", "gm_0_0")
        said = run(*submit)
        assert (said.code, "not an API key of this service" in said.err) == (6, True)
        monkeypatch.delenv("GOODMANY_API_KEY")
        said = run(*submit)
        assert (said.code, "Send an API key" in said.err) == (6, True)
        monkeypatch.setenv("GOODMANY_API_KEY", text)
        assert run(*submit).code == 0


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A process that was started in the background ignores Ctrl+C, and so would its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("command", ["wait", "submit"])
def test_an_interrupted_wait_says_how_to_go_on(
    run: Run, service: Service, image: Path, command: str, tmp_path: Path
):
    service.connection.delete(GO_KEY, HELD_KEY)
    submit = ("submit", str(image), "--object-name", HELD, "--num-images", "1")
    out = ("--out", str(tmp_path / "out.zip"))
    arguments = (*submit, *out) if command == "submit" else ("wait", run(*submit).out.strip())
    process = subprocess.Popen(
        [sys.executable, "-m", "workers.cli", *arguments],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    service.wait_held()
    assert process.stderr is not None
    said = ""
    while "%" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    process.send_signal(signal.SIGINT)
    printed, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    job_id = printed.strip() if command == "submit" else arguments[1]
    assert f"To go on with it: goodmany wait {job_id} --server {service.address}" in rest
    assert not (tmp_path / "out.zip").exists()
    service.release()
    assert run("wait", job_id).out == "succeeded\n"
