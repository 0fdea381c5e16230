"""`goodmany serve` on a disk that fills up: it refuses new jobs, loses none, and comes back."""

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import redis

from app.base.redis_connection import connect
from tests.conftest import PATIENCE_S, encode, texture, wait_until
from tests.processes import alive
from tests.workers.serve.test_disk_reserve import RESERVE_BYTES, free, leave
from tests.workers.serve.test_service import Served

PNG = encode(texture())


@pytest.fixture
def reserve_bytes() -> int:
    return RESERVE_BYTES


@pytest.fixture
def served(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reserve_bytes: int
) -> Iterator[Served]:
    """All its data lie on the small disk, its log elsewhere."""
    monkeypatch.setenv("GOODMANY_DISK_RESERVE_BYTES", str(reserve_bytes))
    (small_disk / "data").mkdir()
    running = Served(small_disk / "data", "succeed", log=tmp_path / "log")
    yield running
    running.http.close()
    running.process.kill()
    running.process.wait()


def post(served: Served, **fields: str) -> httpx2.Response:
    files = [("images", ("a.png", PNG))]
    return served.http.post("/v1/jobs", data={"object_name": "nut", **fields}, files=files)


def kill_redis_by(served: Served, num_bytes: int) -> None:
    """Writes more than there is room for, however much is given up meanwhile."""
    (socket,) = served.folder.rglob("redis.sock")
    with connect(f"unix://{socket}") as connection:
        pid = connection.info("server")["process_id"]
        with contextlib.suppress(redis.exceptions.RedisError):
            connection.set("large", bytes(num_bytes))
    wait_until(lambda: not alive({pid}))


def accepts(served: Served) -> bool:
    return post(served).status_code == 202


def refuses(served: Served) -> bool:
    answer = post(served)
    return answer.status_code == 507 and "no job is accepted" in answer.json()["detail"]


@pytest.mark.parametrize("how", ["slowly", "at once"])
def test_a_full_disk_refuses_jobs_and_loses_none(served: Served, small_disk: Path, how: str):
    first = served.submit()
    served.wait_for(first, "succeeded")
    leave(small_disk, 0)
    if how == "at once":
        kill_redis_by(served, 900_000)
    wait_until(lambda: refuses(served))
    assert served.http.get(first).json()["state"] == "succeeded"
    ready = served.http.get("/readyz")
    assert (ready.status_code, [e["field"] for e in ready.json()["errors"]]) == (503, ["storage"])
    assert "is full; no job is accepted" in served.said()

    (small_disk / "filler").unlink()
    wait_until(lambda: accepts(served))
    assert free(small_disk) <= 2**20 - RESERVE_BYTES
    jobs = served.http.get("/v1/jobs").json()["items"]
    assert jobs[-1]["links"]["self"] == first
    for job in jobs:
        served.wait_for(job["links"]["self"], "succeeded")
    assert served.http.get("/readyz").status_code == 200
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("reserve_bytes", [0])
def test_without_a_reserve_a_full_disk_ends_it(
    served: Served, small_disk: Path, reserve_bytes: int
):
    leave(small_disk, 0)
    kill_redis_by(served, 900_000)
    assert served.process.wait(PATIENCE_S) == 1
    assert "Redis ended with exit code 1" in served.said()
