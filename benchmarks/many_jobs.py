"""Ten thousand finished jobs: whether listing, memory and sweeping bear them.

    python -m benchmarks.many_jobs [--jobs 10000]

Fills one Redis with 100 and another with 10,000 finished jobs, all through the job store, and puts
the real API in front of each. Pages of the two are asked for in turns, so that whatever else the
machine does meets both. Then walks through all 10,000 while new ones come in, and must find each
exactly once; then lets all of them expire. Prints a Markdown table; exit code 1 when a job was
skipped or seen twice.
"""

import argparse
import contextlib
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2

from app.base.redis_connection import connect
from app.files.storage import Storage
from app.jobs.model import JobRequest, new_job_id
from app.jobs.store import EXPIRY_KEY, JobStore
from app.retention.sweep import ORPHANS_LOCK_KEY, sweep_expired, sweep_orphans
from app.settings import Settings
from benchmarks.load import serving
from workers.serve.embedded_redis import EmbeddedRedis

FEW_JOBS = 100
NUM_TURNS = 300
PROMPT = "a brick wall with a smooth surface and even joints"


@dataclass(frozen=True)
class Filled:
    """A service with nothing but finished jobs.

    Attributes:
        ids: of the jobs, the oldest first.
        job_bytes: what one of them takes in Redis.
    """

    http: httpx2.Client
    store: JobStore
    storage: Storage
    ids: list[str]
    job_bytes: float


@contextlib.contextmanager
def filled(folder: Path, num_jobs: int) -> Iterator[Filled]:
    """An API in front of a Redis with so many finished jobs."""
    redis = EmbeddedRedis(folder / "redis")
    settings = Settings(redis_url=redis.url, data_dir=folder)
    variables = {"GOODMANY_REDIS_URL": redis.url, "GOODMANY_DATA_DIR": str(folder)}
    try:
        with (
            connect(redis.url) as connection,
            serving("workers.cli", "api", "--port", "{port}", variables=variables) as (port, _),
            httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http,
        ):
            store, storage = JobStore(connection, settings), Storage(settings.storage_address)
            before = connection.info("memory")["used_memory"]
            ids = [finish_one(store, storage) for _ in range(num_jobs)]
            empty_queues(store)
            grown = connection.info("memory")["used_memory"] - before
            yield Filled(http, store, storage, ids, grown / num_jobs)
    finally:
        redis.stop()


def finish_one(store: JobStore, storage: Storage) -> str:
    """A job with all the steps in its record that a real one has, and one small file."""
    job_id = new_job_id()
    store.create(job_id, JobRequest(object_name="brick", num_images=16), 3)
    storage.write(job_id, "archive.zip", b"zip")
    store.start(job_id, "attempt")
    for stage, percent in (("prompt", "2"), ("adapt", "30"), ("rounds", "60"), ("fill", "90")):
        store.progress(job_id, "attempt", {"stage": stage, "percent": percent, "prompt": PROMPT})
    store.succeed(job_id, "attempt", {"num_images": "16", "prompt": PROMPT})
    return job_id


def empty_queues(store: JobStore) -> None:
    """What the worker does with RQ's own records."""
    for queue in store.queues:
        queue.empty()


def pages_ms(few: Filled, many: Filled) -> dict[str, list[float]]:
    """Milliseconds of one page, asked for in turns."""
    middle, end = many.ids[len(many.ids) // 2], many.ids[21]
    pages = {
        "100 jobs, first page": (few, {}),
        "all jobs, first page": (many, {}),
        "all jobs, a page in the middle": (many, {"cursor": middle}),
        "all jobs, the last page": (many, {"cursor": end}),
    }
    found: dict[str, list[float]] = {name: [] for name in pages}
    for _ in range(NUM_TURNS):
        for name, (service, query) in pages.items():
            start = time.perf_counter()
            service.http.get("/v1/jobs", params=query).raise_for_status()
            found[name].append((time.perf_counter() - start) * 1000)
    return found


def walk(many: Filled) -> tuple[Counter[str], int]:
    """How often each job was seen on the way from the newest to the oldest, and how many came."""
    over = threading.Event()
    came = []

    def add() -> None:
        while not over.is_set():
            came.append(finish_one(many.store, many.storage))

    adding = threading.Thread(target=add)
    adding.start()
    seen: Counter[str] = Counter()
    query: dict[str, str] = {"limit": "100"}
    while True:
        page = many.http.get("/v1/jobs", params=query).raise_for_status().json()
        seen.update(job["id"] for job in page["items"])
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    over.set()
    adding.join()
    empty_queues(many.store)
    many.ids.extend(came)
    return seen, len(came)


def expire_all(many: Filled) -> list[float]:
    """Seconds of each sweep until nothing is due."""
    many.store.connection.zadd(EXPIRY_KEY, dict.fromkeys(many.ids, 0.0))
    sweeps = []
    while True:
        start = time.perf_counter()
        if not sweep_expired(many.store, many.storage):
            return sweeps
        sweeps.append(time.perf_counter() - start)


def look_for_orphans_s(many: Filled) -> float:
    """Seconds of the search for uploads without a job, when every job is old enough for it."""
    many.store.connection.delete(ORPHANS_LOCK_KEY)
    start = time.perf_counter()
    sweep_orphans(many.store, many.storage, time.time() + 10 * many.store.settings.orphans_ttl_s)
    return time.perf_counter() - start


def measure(folder: Path, num_jobs: int) -> int:
    """Runs everything; returns the exit code."""
    with filled(folder / "few", FEW_JOBS) as few, filled(folder / "many", num_jobs) as many:
        base = 0.0
        print(f"| {num_jobs} jobs | p50 ms | ratio |\n|---|---|---|")
        for name, taken in pages_ms(few, many).items():
            p50 = statistics.median(taken)
            base = base or p50
            print(f"| {name} | {p50:.2f} | {p50 / base:.2f} |")
        old_ids = list(many.ids)
        start = time.perf_counter()
        seen, num_came = walk(many)
        walk_s = time.perf_counter() - start
        once = sum(seen[job_id] == 1 for job_id in old_ids)
        print(f"\nA walk of {walk_s:.1f} s found {once} of {num_jobs} jobs exactly once ", end="")
        print(f"while {num_came} came in; {len(seen) - once} of those were seen too.")
        print(f"One job takes {many.job_bytes / 1024:.1f} KiB in Redis.")
        orphans_s = look_for_orphans_s(many)
        sweeps = expire_all(many)
        print(
            f"{len(many.ids)} jobs expired in {len(sweeps)} sweeps of {sum(sweeps):.1f} s in all; "
        )
        print(f"the longest kept its worker for {max(sweeps):.2f} s. ", end="")
        print(f"A search for orphans took {orphans_s:.2f} s.")
    return 0 if once == num_jobs and max(seen.values()) == 1 else 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    with tempfile.TemporaryDirectory() as folder:
        raise SystemExit(measure(Path(folder), parser.parse_args().jobs))


if __name__ == "__main__":
    main()
