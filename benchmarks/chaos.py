"""Kills parts of the service at random while jobs come in, then counts what has become of them.

    python -m benchmarks.chaos [--seconds 60] [--jobs 120] [--workers 2] [--real] [--seed 0]

Redis, an API and workers run as processes of their own over one folder. Every second or so one
of them, or a worker's child, is killed with signal 9 and started again; Redis goes away for up to
two seconds, in one of four cases with a worker at the same moment. Meanwhile a client submits jobs,
each under an idempotency key and again until it is accepted, and cancels every tenth. When the time
is over, the rest is left in peace until every job has ended.

What must hold, else the exit code is 1: one job for each key; every job ended exactly once; the
archive of each that succeeded is whole; no file in the storage beside them. `--real` has the real
models work at effort draft; without it a quick stand-in for the method does (everything else is
real).
"""

import argparse
import itertools
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import httpx2

from app.jobs.keys import events_key, jobs_key
from tests.service_parts import QUICK, ServiceParts
from workers.generation.warm_child import DEFAULT_LOADER

REAL_ASKED = {"effort": "draft", "image_size": "64"}
KINDS = ("child", "child", "worker", "api", "redis")
END_WITHIN_S = 600.0


class Client(threading.Thread):
    """Submits jobs until all are accepted, whatever happens to the service."""

    def __init__(self, parts: ServiceParts, num_jobs: int, seconds: float, asked: dict[str, str]):
        super().__init__()
        self.parts, self.num_jobs, self.asked = parts, num_jobs, asked
        self.pause_s = seconds / num_jobs
        self.accepted: list[str] = []
        self.answers: Counter[str] = Counter()
        self.rng = random.Random(1)

    def run(self) -> None:
        for number in range(self.num_jobs):
            job_id = self._submit(number)
            self.accepted.append(job_id)
            if number % 10 == 9:
                self._cancel(job_id)
            time.sleep(self.pause_s)

    def _submit(self, number: int) -> str:
        priority = "batch" if number % 3 == 0 else "interactive"
        num_images = 2 if self.asked else self.rng.randint(5, 60)
        while True:
            try:
                job_id = self.parts.submit(
                    num_images, f"key-{number}", priority=priority, **self.asked
                )
                self.answers["202"] += 1
                return job_id
            except httpx2.HTTPStatusError as error:
                self.answers[str(error.response.status_code)] += 1
            except httpx2.TransportError:
                self.answers["connection broken"] += 1
            time.sleep(0.2)

    def _cancel(self, job_id: str) -> None:
        try:
            answer = self.parts.http.post(f"/v1/jobs/{job_id}/cancel")
            self.answers[f"cancel {answer.status_code}"] += 1
        except httpx2.TransportError:
            self.answers["cancel: connection broken"] += 1


class Killer:
    """Kills and starts again."""

    def __init__(self, parts: ServiceParts, num_workers: int, rng: random.Random):
        self.parts, self.num_workers, self.rng = parts, num_workers, rng
        self.kills: Counter[str] = Counter()

    def strike(self, kind: str) -> None:
        getattr(self, f"_kill_{kind}")()

    def _kill_child(self) -> None:
        if pids := self.parts.child_pids():
            os.kill(self.rng.choice(pids), signal.SIGKILL)
            self.kills["child"] += 1

    def _kill_worker(self, *, start: bool = True) -> None:
        self.parts.kill_worker(self.rng.choice(self.parts.workers))
        self.kills["worker"] += 1
        if start:
            self.parts.launch_worker()

    def _kill_api(self) -> None:
        assert self.parts.api is not None
        self.parts.api.kill()
        self.parts.api.wait()
        self.kills["API"] += 1
        self.parts.start_api()

    def _kill_redis(self) -> None:
        self.parts.kill_redis()
        self.kills["Redis"] += 1
        if self.rng.random() < 0.25:
            self._kill_worker(start=False)
        time.sleep(self.rng.uniform(0, 2))
        self.parts.start_redis()
        # A worker that found no Redis when it began has ended.
        for worker in [worker for worker in self.parts.workers if worker.poll() is not None]:
            self.parts.workers.remove(worker)
        while len(self.parts.workers) < self.num_workers:
            self.parts.launch_worker()


def run(folder: Path, arguments: argparse.Namespace) -> bool:
    """Whether everything held."""
    rng = random.Random(arguments.seed)
    changes = {"max_retries": arguments.retries, "cancel_grace_s": 2}
    loader = DEFAULT_LOADER if arguments.real else QUICK
    with ServiceParts(folder, loader, changes) as parts:
        parts.start_api()
        for _ in range(arguments.workers):
            parts.start_worker()
        asked = REAL_ASKED if arguments.real else {}
        client = Client(parts, arguments.jobs, arguments.seconds, asked)
        killer = Killer(parts, arguments.workers, rng)
        start = time.monotonic()
        client.start()
        while time.monotonic() - start < arguments.seconds:
            time.sleep(rng.uniform(0.5, 1.5) * arguments.pause)
            killer.strike(rng.choice(KINDS))
        client.join()
        chaos_s = time.monotonic() - start
        job_ids = [job_id.decode() for job_id in parts.connection.zrange(jobs_key(""), 0, -1)]
        parts.wait_over(job_ids, END_WITHIN_S)
        faults = parts.faults(job_ids)
        if set(client.accepted) != set(job_ids) or len(job_ids) != arguments.jobs:
            faults.append(f"{len(set(client.accepted))} accepted, {len(job_ids)} recorded")
        total_s = time.monotonic() - start
        print(f"chaos, then peace:    {chaos_s:.0f} s, {total_s - chaos_s:.0f} s")
        print(f"answers to submits:   {dict(client.answers)}")
        print(f"killed:               {dict(killer.kills)}, {sum(killer.kills.values())} in all")
        report(parts, job_ids)
    print(f"faults found:         {len(faults)}")
    for fault in faults:
        print(f"  {fault}")
    return not faults


def report(parts: ServiceParts, job_ids: list[str]) -> None:
    states: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    attempts = 0
    for job_id in job_ids:
        job = parts.store.get(job_id)
        states[str(job.state)] += 1
        if job.problem is not None:
            problems[job.problem.type.rsplit(":", 1)[1]] += 1
        events = parts.connection.xrange(events_key(job_id))
        seen = [fields[b"state"] for _, fields in events]
        attempts += sum(a == b"queued" and b == b"running" for a, b in itertools.pairwise(seen))
    files = sum(len(names) for _, _, names in os.walk(parts.storage.root))
    print(f"jobs:                 {len(job_ids)}, begun {attempts} times")
    print(f"terminal states:      {dict(states)} {dict(problems)}")
    print(f"files in the storage: {files}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--jobs", type=int, default=120)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--retries", type=int, default=3, help="max_retries of the service")
    parser.add_argument("--pause", type=float, default=1, help="mean seconds between two kills")
    parser.add_argument("--real", action="store_true", help="the real models, at effort draft")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="goodmany-") as folder:
        raise SystemExit(0 if run(Path(folder), arguments) else 1)


if __name__ == "__main__":
    main()
