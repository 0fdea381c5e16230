"""Whatever a person can bring about at the command line: one sentence, its own code, no traceback.

Each case is the real command, in a process of its own where it would start anything.
"""

import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest
import trustme
import typer

from app.jobs.store import JobStore
from app.settings import Settings
from tests.app.http.routes.test_jobs import finish
from tests.conftest import PATIENCE_S, encode, texture, wait_until
from tests.workers.cli.test_main import run_main
from workers.cli import failures
from workers.cli.main import cli

pytestmark = pytest.mark.slow

ASKED = ("--object-name", "nut")
Command = Callable[..., subprocess.CompletedProcess[str]]
# Nothing listens there.
NOBODY = "http://127.0.0.1:1"


def goodmany(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workers.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "COLUMNS": "1000", **variables},
    )


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command in this process, which has imported all that it needs."""
    # A command that starts a service moves the temporary files of its process.
    monkeypatch.setattr(tempfile, "tempdir", tempfile.gettempdir())
    monkeypatch.setenv("TMPDIR", tempfile.gettempdir())

    def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        for name, value in {"COLUMNS": "1000", **variables}.items():
            monkeypatch.setenv(name, value)
        code = run_main(monkeypatch, *arguments)
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, said.out, said.err)

    return run


def check(answer: subprocess.CompletedProcess[str], code: int, said: str) -> None:
    assert (answer.returncode, answer.stderr.count("Traceback")) == (code, 0), answer.stderr
    lines = [line for line in answer.stderr.splitlines() if line.startswith("goodmany: ")]
    assert len(lines) == 1, answer.stderr
    assert said in lines[0]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "nut.png"
    path.write_bytes(encode(texture()))
    return path


@pytest.fixture
def stranger() -> Iterator[str]:
    """The address of a web server that is another."""

    class Stranger(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<h1>It works!</h1>")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("server", "code", "said"),
    [
        (NOBODY, 5, f"{NOBODY} cannot be reached"),
        ("http://no-such-host.invalid", 5, "cannot be reached"),
        ("127.0.0.1:8000", 2, "is no address of a service"),
        ("nonsense", 2, "is no address of a service"),
        ("http://[::1", 2, "is no address of a service"),
        ("ftp://127.0.0.1", 2, "is no address of a service"),
    ],
)
def test_a_service_that_is_not_there(here: Command, image: Path, server: str, code: int, said: str):
    out = image.with_suffix(".zip")
    check(here("submit", image, *ASKED, "--out", out, "--server", server), code, said)
    assert [path.name for path in image.parent.iterdir()] == ["nut.png"]


def test_another_server_at_the_address(image: Path, stranger: str):
    out = image.with_suffix(".zip")
    answer = goodmany("submit", image, *ASKED, "--out", out, "--server", stranger)
    check(answer, 5, f"What answers at {stranger} is no goodmany (status 200).")


def test_a_request_that_is_refused(image: Path, serve_api: Callable[..., httpx2.Client]):
    api = serve_api(require_api_key="always")
    out = image.with_suffix(".zip")
    answer = goodmany("submit", image, *ASKED, "--out", out, "--server", api.base_url)
    check(answer, 6, "A valid API key is needed")


def test_a_job_that_does_not_succeed(image: Path, api: httpx2.Client):
    def cancel() -> None:
        wait_until(lambda: bool(api.get("/v1/jobs").json()["items"]))
        api.post(api.get("/v1/jobs").json()["items"][0]["links"]["cancel"])

    thread = threading.Thread(target=cancel)
    thread.start()
    out = image.with_suffix(".zip")
    answer = goodmany("submit", image, *ASKED, "--out", out, "--server", api.base_url)
    thread.join()
    check(answer, 7, "canceled")
    assert not out.exists()


def test_a_folder_and_a_pattern_are_their_images(
    tmp_path: Path, api: httpx2.Client, store: JobStore, settings: Settings
):
    folder = tmp_path / "parts"
    folder.mkdir()
    for number, name in enumerate(("b.PNG", "a.tif", ".hidden.png", "notes.txt")):
        image = texture(seed=number)
        (folder / name).write_bytes(encode(image, "TIFF" if name == "a.tif" else "PNG"))
    (folder / "folder.png").mkdir()
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "c.png").write_bytes(encode(texture(seed=9)))
    (tmp_path / "more" / "d.png").write_bytes(encode(texture(seed=8)))

    def work() -> None:
        wait_until(lambda: bool(api.get("/v1/jobs").json()["items"]))
        finish(store, settings, api.get("/v1/jobs").json()["items"][0]["id"])

    thread = threading.Thread(target=work)
    thread.start()
    out = tmp_path / "new" / "nut.zip"
    named = [folder, tmp_path / "more" / "[cd].png", tmp_path / "more" / "c.png"]
    answer = goodmany("submit", *named, *ASKED, "--out", out, "--server", api.base_url)
    thread.join()
    assert answer.returncode == 0, answer.stderr
    assert out.read_bytes() == b"0123456789"
    job = api.get("/v1/jobs").json()["items"][0]
    assert store.get_record(job["id"])["num_inputs"] == "4"


@pytest.mark.parametrize("command", ["generate", "submit"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere.png", "There is no file nowhere.png."),
        ("*.jpg", "No file matches *.jpg."),
        ("empty", "The folder empty holds no image"),
    ],
)
def test_images_that_are_not_there(
    here: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    command: str,
    name: str,
    said: str,
):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    check(here(command, name, *ASKED, "--out", "x.zip"), 4, said)


@pytest.mark.parametrize("command", ["generate", "submit"])
def test_what_cannot_be_written_is_known_before_the_work(here: Command, image: Path, command: str):
    (image.parent / "folder").mkdir()
    (image.parent / "file").write_text("a file")
    for out, said in (
        (image.parent / "folder", "is a folder; --out names the ZIP to write."),
        (image.parent / "file" / "nut.zip", "cannot be written"),
        (Path("/proc/nut.zip"), "cannot be written"),
    ):
        # The models would take their time, and nobody is at the server's address.
        answer = here(
            command, image, *ASKED, "--out", out, GOODMANY_VQGAN="/nowhere", GOODMANY_API_KEY="x"
        )
        check(answer, 4, said)
        assert "models" not in answer.stdout


@pytest.mark.parametrize("command", ["serve", "api"])
def test_an_address_where_nothing_can_listen(here: Command, tmp_path: Path, command: str):
    data = {"GOODMANY_DATA_DIR": str(tmp_path / "data")}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = goodmany(command, "--port", port, **data)
        check(answer, 8, f"Port {port} of 127.0.0.1 is in use")
    check(here(command, "--host", "192.0.2.1", **data), 8, "Nothing can listen at 192.0.2.1")
    check(here(command, "--host", "no.such.invalid", **data), 8, "no such address")
    check(here(command, "--port", "70000", **data), 8, "port 70000")
    # Nothing was started for it.
    assert not (tmp_path / "data" / "redis").exists()


def test_a_certificate_that_cannot_be_used(here: Command, tmp_path: Path):
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    data = {"GOODMANY_DATA_DIR": str(tmp_path / "data")}
    check(goodmany("api", "--ssl-certfile", wrong, **data), 8, "wrong.pem")
    check(here("api", "--ssl-certfile", tmp_path / "nowhere", **data), 8, "No such file")
    check(here("api", "--ssl-keyfile", wrong, **data), 2, "--ssl-keyfile needs --ssl-certfile")


def test_the_api_speaks_https(tmp_path: Path, settings: Settings):
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "both.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    values = {"GOODMANY_REDIS_URL": settings.redis_url, "GOODMANY_DATA_DIR": str(tmp_path / "d")}
    options = ["--port", str(port), "--ssl-certfile", str(tmp_path / "both.pem")]
    process = subprocess.Popen(
        [sys.executable, "-m", "workers.cli", "api", *options], env={**os.environ, **values}
    )
    try:
        trust = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        with httpx2.Client(verify=trust) as client:

            def answers() -> bool:
                try:
                    return client.get(f"https://127.0.0.1:{port}/livez").is_success
                except httpx2.TransportError:
                    return False

            wait_until(answers)
            answer = client.get(f"https://127.0.0.1:{port}/livez")
            assert "strict-transport-security" in answer.headers
    finally:
        process.terminate()
        assert process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ({"GOODMANY_MAX_IMAGES": "many"}, "GOODMANY_MAX_IMAGES: Input should be a valid integer"),
        ({"GOODMANY_WEBHOOK_SECRET": "short"}, "GOODMANY_WEBHOOK_SECRET: "),
        ({"GOODMANY_DATA_DIR": "/proc/nowhere"}, "/proc/nowhere"),
    ],
)
def test_a_setting_that_is_wrong(variable: dict[str, str], said: str):
    code = failures.FileError.code if "DATA_DIR" in str(variable) else failures.USAGE
    check(goodmany("serve", "--port", "0", **variable), code, said)


def test_every_code_is_one_kind_and_documented():
    codes = [int(code) for code in re.findall(r"^(\d+) +\w", failures.__doc__ or "", re.M)]
    assert codes == [*range(9), 130]
    raised = [kind.code for kind in failures.CommandError.__subclasses__()]
    assert len(set(raised)) == len(raised)
    assert set(raised) <= set(codes)
    page = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", page, re.M)] == codes
    commands = typer.main.get_command(cli).commands
    groups = {name for name, command in commands.items() if hasattr(command, "commands")}
    assert groups == {"keys", "models", "storage"}
