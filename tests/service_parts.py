"""The service's parts as processes of their own, to be killed, and what must hold afterwards."""

import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from app.base.redis_connection import connect
from app.files.storage import Storage, outputs_of
from app.jobs.model import JobState
from app.jobs.store import JobStore
from app.observability.live_workers import WORKERS_KEY, LiveWorkers
from app.retention.sweep import ORPHANS_LOCK_KEY, sweep_orphans
from app.settings import Settings
from tests.conftest import PATIENCE_S, encode, texture, wait_until
from tests.processes import children, command_line
from workers.generation.lost_jobs import LOCK_KEY as LOST_JOBS_LOCK_KEY
from workers.serve.embedded_redis import EmbeddedRedis
from workers.serve.service import _release_taken_jobs

QUICK = "tests.workers.generation.quick_pipeline:load"
PNG = encode(texture())
OUTPUTS = {"archive.zip", "evidence.zip", "preview.png"}


@dataclass
class ServiceParts:
    """Redis, an API and workers over one folder; to be used with `with`.

    Attributes:
        folder: for Redis's file, the storage and the logs.
        loader: what a worker's child loads.
        changes: settings that differ from the defaults.
    """

    folder: Path
    loader: str = QUICK
    changes: dict[str, Any] = field(default_factory=dict)
    api: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.redis = EmbeddedRedis(self.folder / "redis")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.settings = Settings(
            redis_url=self.redis.url, data_dir=self.folder / "data", **self.changes
        )
        self.storage = Storage(self.settings.storage_address)
        self.connection = connect(self.redis.url, patience_s=30)
        self.store = JobStore(self.connection, self.settings)
        self.http = httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=90)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in (*self.workers, *([self.api] if self.api else [])):
            process.kill()
            process.wait()
        self.http.close()
        self.connection.close()
        self.redis.stop()

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        values = self.settings.model_dump(mode="json")
        variables = {f"GOODMANY_{name.upper()}": str(value) for name, value in values.items()}
        with (self.folder / "parts.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *command],
                env={**os.environ, **variables, "TEST_LOADER": self.loader},
                stdout=log,
                stderr=log,
            )

    def start_api(self) -> None:
        self.api = self._start("workers.cli", "api", "--port", str(self.port))
        wait_until(self.api_answers)

    def api_answers(self) -> bool:
        try:
            return self.http.get("/livez").is_success
        except httpx2.TransportError:
            return False

    def start_worker(self) -> subprocess.Popen[bytes]:
        """One more worker, ready to take a job."""
        before = self.num_live_workers()
        self.launch_worker()
        wait_until(lambda: self.num_live_workers() > before)
        return self.workers[-1]

    def launch_worker(self) -> None:
        """One more worker, which is not waited for."""
        self.workers.append(self._start("tests.workers.generation.run_worker"))

    def num_live_workers(self) -> int:
        return LiveWorkers(self.connection).count()

    def kill_worker(self, worker: subprocess.Popen[bytes]) -> None:
        """As the kernel does it; its child goes with it."""
        worker.kill()
        worker.wait()
        self.workers.remove(worker)

    def forget_dead_workers(self) -> None:
        """As if the time had passed after which a silent worker counts as dead."""
        self.connection.delete(WORKERS_KEY, LOST_JOBS_LOCK_KEY)
        _release_taken_jobs(self.connection)

    def kill_redis(self) -> None:
        os.kill(self.redis.process.pid, signal.SIGKILL)
        self.redis.process.wait()

    def start_redis(self) -> None:
        self.redis = EmbeddedRedis(self.folder / "redis")

    def child_pids(self) -> list[int]:
        """The children that hold the models."""
        started = [pid for worker in self.workers for pid in sorted(children(worker.pid))]
        return [pid for pid in started if "spawn_main" in command_line(pid)]

    def submit(self, num_images: int = 4, key: str | None = None, **fields: str) -> str:
        """The id of an accepted job; each of its images takes a twentieth of a second."""
        answer = self.http.post(
            "/v1/jobs",
            data={"object_name": "nut", "num_images": str(num_images), **fields},
            files=[("images", ("a.png", PNG))],
            headers={"Idempotency-Key": key} if key else {},
        )
        return str(answer.raise_for_status().json()["id"])

    def wait_images(self, job_id: str) -> None:
        """Until the job is in the middle of its work."""
        wait_until(lambda: self.store.get(job_id).num_images > 0)

    def wait_over(self, job_ids: list[str], timeout_s: float = PATIENCE_S) -> None:
        wait_until(lambda: all(self.is_over(job_id) for job_id in job_ids), timeout_s)
        # The worker tidies up just after it has said so.
        wait_until(lambda: not self._started())

    def is_over(self, job_id: str) -> bool:
        state = self.store.state(job_id)
        return state is not None and state.is_over

    def _started(self) -> int:
        queues = self.store.queues
        return sum(self.connection.zcard(queue.started_job_registry.key) for queue in queues)

    def count_states(self, job_ids: list[str]) -> Counter[str]:
        return Counter(self.store.get(job_id).state for job_id in job_ids)

    def faults(self, job_ids: list[str]) -> list[str]:
        """What does not hold of these accepted jobs and of the storage: nothing, that is hoped.

        Every job has ended once, its archive is whole, and there is no file beside inputs and the
        outputs of jobs that succeeded. Uploads whose job was never accepted are swept before.
        """
        found: list[str] = []
        self.connection.delete(ORPHANS_LOCK_KEY)
        sweep_orphans(self.store, self.storage, time.time() + self.settings.orphans_ttl_s + 1)
        for job_id in job_ids:
            state, attempt = self.store.standing(job_id)
            found += [f"{job_id} is {state}"] if state is None or not state.is_over else []
            ends = [state for state in self._states(job_id) if JobState(state).is_over]
            found += [f"{job_id} ended as {ends}"] if len(ends) != 1 else []
            folder = Path(self.storage.path(job_id, ""))
            files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
            wanted = {"inputs/000"}
            if state is JobState.succeeded:
                wanted |= {f"{outputs_of(attempt)}/{name}" for name in OUTPUTS}
                found += self._archive_faults(job_id, attempt)
            found += [f"{job_id} ({state}) has {files ^ wanted}"] if files != wanted else []
        return found

    def _states(self, job_id: str) -> list[str]:
        events = self.connection.xrange(f"goodmany:job:{job_id}:events")
        return [fields[b"state"].decode() for _, fields in events]

    def _archive_faults(self, job_id: str, attempt: str) -> list[str]:
        path = self.storage.path(job_id, f"{outputs_of(attempt)}/archive.zip")
        with zipfile.ZipFile(path) as archive:
            pictures = [name for name in archive.namelist() if name.endswith(".png")]
            whole = archive.testzip() is None
        wanted = self.store.get(job_id).num_images
        if whole and len(pictures) == wanted:
            return []
        return [f"{job_id}: {len(pictures)} of {wanted} images, whole: {whole}"]
