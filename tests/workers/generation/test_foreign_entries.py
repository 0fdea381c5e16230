"""What is none of ours in a worker's queue is never called, and neither it nor its child dies."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rq.exceptions import NoSuchJobError
from rq.serializers import JSONSerializer

import app.jobs.store
from app.base.redis_connection import connect
from app.files.storage import Storage
from app.jobs.model import JobRequest, JobState, Priority, new_job_id
from app.jobs.store import JobStore
from app.observability.live_workers import LiveWorkers
from app.settings import Settings
from tests.conftest import WorkerProcess, wait_until
from tests.service_parts import PNG
from tests.workers.generation.jobs_under_test import JobsUnderTest
from tests.workers.generation.known_tasks import TASKS
from tests.workers.runtime.foreign_entries import FOREIGN, WITHOUT_HASH, Entry, Forger, is_gone
from workers.generation.generation_job import GenerationJob
from workers.generation.lost_jobs import LOCK_KEY, requeue_lost_jobs
from workers.serve.embedded_redis import EmbeddedRedis

SUCCEED = "tests.workers.generation.job_functions.succeed"
LOADER = "tests.workers.generation.job_functions:load_nothing"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def worker(server: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobStore]:
    """The store of a worker that meets all of them, one after the other."""
    settings = Settings(redis_url=server.url, data_dir=tmp_path_factory.mktemp("data"))
    connection = connect(server.url)
    process = WorkerProcess(settings, LOADER)
    wait_until(lambda: LiveWorkers(connection).count() > 0)
    store = JobStore(connection, settings)
    yield store
    is_alive = process.process.is_alive()
    process.stop()
    connection.close()
    assert is_alive


@pytest.fixture
def forger(worker: JobStore, tmp_path: Path) -> Forger:
    job_id = new_job_id()
    return Forger(worker.queues[0], SUCCEED, job_id, (job_id,), tmp_path / "called")


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_entry_is_removed_and_the_next_job_runs_in_the_same_child(
    worker: JobStore, forger: Forger, monkeypatch: pytest.MonkeyPatch, kind: str
):
    jobs = JobsUnderTest(worker, monkeypatch)
    entry = FOREIGN[kind](forger)
    following = jobs.submit("succeed")
    assert jobs.ended(following).state is JobState.succeeded
    assert is_gone(worker.connection, forger.queue, entry)
    assert not forger.marker.exists()
    # All the module's jobs so far.
    assert len(set(jobs.child_pids())) == 1
    started = forger.queue.started_job_registry.key
    wait_until(lambda: worker.connection.zcard(started) == 0)


@pytest.mark.parametrize("args", [("0" * 32,), (), ("a", "b")])
def test_a_task_is_called_with_its_own_job_alone(
    worker: JobStore, forger: Forger, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]
):
    jobs = JobsUnderTest(worker, monkeypatch)
    entry = forger.calling(SUCCEED, *args)
    assert jobs.ended(jobs.submit("succeed")).state is JobState.succeeded
    assert is_gone(worker.connection, forger.queue, entry)
    assert len(set(jobs.child_pids())) == 1


@pytest.mark.parametrize("meta", [b"no JSON", b"[]", b'{"log_fields": 7, "trace": [1]}', b"{}"])
def test_a_job_whose_origin_cannot_be_read_runs(
    worker: JobStore, forger: Forger, monkeypatch: pytest.MonkeyPatch, meta: bytes
):
    jobs = JobsUnderTest(worker, monkeypatch)
    monkeypatch.setattr(app.jobs.store, "TASK", SUCCEED)
    worker.create(forger.job_id, JobRequest(object_name="nut"), 1)
    # It may be running by now; then the second entry is the one that is meant.
    forger.put({"meta": meta})
    assert jobs.ended(forger.job_id).state is JobState.succeeded
    wait_until(lambda: forger.queue.count == 0)
    assert jobs.ended(jobs.submit("succeed")).state is JobState.succeeded
    assert len(set(jobs.child_pids())) == 1


def test_of_two_queues_neither_is_held_up(
    worker: JobStore, forger: Forger, monkeypatch: pytest.MonkeyPatch
):
    jobs = JobsUnderTest(worker, monkeypatch)
    for queue in worker.queues:
        worker.connection.rpush(queue.key, b"\xff", "no id!")
    for priority in Priority:
        assert jobs.ended(jobs.submit("succeed", priority)).state is JobState.succeeded
    assert all(is_gone(worker.connection, queue, Entry(b"\xff")) for queue in worker.queues)


def test_maintenance_survives_what_lies_in_the_lists(
    store: JobStore, monkeypatch: pytest.MonkeyPatch, start_worker: Callable[..., WorkerProcess]
):
    jobs = JobsUnderTest(store, monkeypatch)
    queue = store.queues[0]
    store.connection.rpush(queue.intermediate_queue_key, b"\xff", "no id!", "0" * 32)
    for registry in (queue.started_job_registry, queue.ready_job_registry):
        store.connection.zadd(registry.key, {b"\xff": 1, "no id!": 1, "0" * 32: 1, "a:b": 1})
    # The worker does its maintenance before it takes its first job.
    start_worker()
    assert jobs.ended(jobs.submit("succeed")).state is JobState.succeeded
    assert store.connection.lrange(queue.intermediate_queue_key, 0, -1) == []
    wait_until(lambda: store.connection.zcard(queue.started_job_registry.key) == 0)
    assert store.connection.zcard(queue.ready_job_registry.key) == 0


def test_a_job_whose_entry_was_forged_is_found_to_be_lost_and_runs(
    store: JobStore, monkeypatch: pytest.MonkeyPatch, start_worker: Callable[..., WorkerProcess]
):
    jobs = JobsUnderTest(store, monkeypatch)
    job_id = jobs.submit("succeed")
    store.connection.hset(f"rq:job:{job_id}", "data", b'["os.system", null, ["true"], {}]')
    start_worker()
    wait_until(lambda: not store.connection.exists(f"rq:job:{job_id}"))
    monkeypatch.setattr(app.jobs.store, "TASK", SUCCEED)
    store.connection.delete(LOCK_KEY)
    assert requeue_lost_jobs(store) == 1
    assert jobs.ended(job_id).state is JobState.succeeded


@pytest.mark.parametrize("kind", [kind for kind in FOREIGN if kind not in WITHOUT_HASH])
def test_each_is_told_to_the_log(
    store: JobStore, tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
):
    job_id = new_job_id()
    forger = Forger(store.queues[0], SUCCEED, job_id, (job_id,), tmp_path / "called")
    FOREIGN[kind](forger)
    known = GenerationJob.of_tasks(TASKS)
    with pytest.raises(NoSuchJobError), caplog.at_level(logging.ERROR):
        known.fetch(job_id, store.connection, JSONSerializer)
    assert job_id in caplog.text
    assert "is not ours and is removed" in caplog.text


def test_the_name_of_an_older_version_is_the_task_of_this_one(
    store: JobStore,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    start_worker: Callable[..., WorkerProcess],
):
    monkeypatch.setattr(app.jobs.store, "TASK", "workers.tasks.run_job")
    job_id = new_job_id()
    Storage(settings.storage_address).write(job_id, "inputs/000", PNG)
    store.create(job_id, JobRequest(object_name="nut", num_images=2), 1)
    start_worker("tests.workers.generation.quick_pipeline:load")
    wait_until(lambda: store.get(job_id).state.is_over)
    assert store.get(job_id).state is JobState.succeeded
