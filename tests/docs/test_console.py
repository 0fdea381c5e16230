"""The reader of console blocks finds what does not exist."""

from pathlib import Path

import pytest

from tests.docs.console import check, commands

GOOD = """\
make demo      # a comment
make test PYTEST_ARGS="-k archive"
docker compose --profile gpu up --build --scale worker=0
docker compose exec api goodmany keys create camera-7
kubectl -n goodmany exec deploy/api -- goodmany keys create camera-7
GOODMANY_DEVICE=cuda .venv/bin/goodmany worker --queue batch
.venv/bin/goodmany generate a.png \\
    --object-name hazelnut --out hazelnut.zip
.venv/bin/python -m benchmarks.chaos --seconds 60
"""


@pytest.fixture(autouse=True)
def folder_with_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").touch()


def test_good_commands_pass():
    found = commands(GOOD)
    assert len(found) == 8
    for words in found:
        check(words)


@pytest.mark.parametrize(
    "line",
    [
        "make coffee",
        "make test PYTEST_ARGUMENTS=1",
        "docker compose --profile tpu up",
        "docker compose up --fast",
        "docker compose up --scale workers=0",
        "docker compose exec api goodmany keys make camera-7",
        "docker compose exec door goodmany keys list",
        "docker run goodmany",
        "kubectl apply -k docker/swarm",
        "kubectl -n other exec deploy/api -- goodmany keys list",
        "kubectl -n goodmany exec deploy/door -- goodmany keys list",
        "GOODMANY_DEVICES=cuda goodmany worker",
        "goodmany work",
        "goodmany worker --queues batch",
        "goodmany worker --queue slow",
        "goodmany generate a.png --object-name nut",
        "goodmany generate b.png --object-name nut --out nut.zip",
        "goodmany serve --port http",
        ".venv/bin/python -m benchmarks.order",
        ".venv/bin/python -m benchmarks.chaos --hours 1",
        "wget http://127.0.0.1:8000",
    ],
)
def test_what_does_not_exist_is_found(line: str):
    (words,) = commands(line)
    with pytest.raises(Exception):  # noqa: B017, PT011, each program has errors of its own
        check(words)
