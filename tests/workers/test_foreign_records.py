"""Jobs of another version: a worker ends each of them, and the courier tells it or lets it be."""

from collections.abc import Callable

from app.files.storage import Storage
from app.jobs.model import JobState
from app.jobs.store import JobStore
from app.settings import Settings
from tests.app.jobs.test_foreign_records import CHANGES, alter, create
from tests.conftest import WorkerProcess, encode, texture, wait_until
from tests.workers.courier.courier_process import CourierProcess
from tests.workers.courier.receiver import Receiver
from tests.workers.courier.webhook_jobs import CHANGES as QUICK
from tests.workers.courier.webhook_jobs import over, succeed
from workers.courier.webhook_delivery import Webhooks

QUICK_PIPELINE = "tests.workers.generation.quick_pipeline:load"
NOT_UNDERSTOOD = {"newer request", "no JSON", "only a time"}
METAS = ["{}", '{"log_fields": {"job_id": "x"}, "trace": null, "new": 1}']


def test_a_worker_ends_each_of_them_and_lives(
    store: JobStore, settings: Settings, start_worker: Callable[..., WorkerProcess]
):
    storage = Storage(settings.storage_address)
    jobs = {name: create(store, change) for name, change in CHANGES.items()}
    for number, job_id in enumerate(jobs.values()):
        storage.write(job_id, "inputs/000", encode(texture()))
        store.connection.hset(f"rq:job:{job_id}", "meta", METAS[number % len(METAS)])
    # One that only RQ knows any more.
    gone = create(store, {})
    store.connection.delete(f"goodmany:job:{gone}")
    worker = start_worker(loader=QUICK_PIPELINE)
    wait_until(lambda: all(store.get(job_id).state.is_over for job_id in jobs.values()))
    found = {name: store.get(job_id) for name, job_id in jobs.items()}
    failed = {name for name, job in found.items() if job.state is JobState.failed}
    assert failed == NOT_UNDERSTOOD | {"newer final state"}
    for name in NOT_UNDERSTOOD:
        problem = found[name].problem
        assert problem is not None
        assert "by another version" in problem.detail
    problem = found["newer request"].problem
    assert problem is not None
    assert "pose" in problem.detail
    assert worker.process.is_alive()


def test_the_courier_tells_their_ends_and_does_not_spin(
    store: JobStore, settings: Settings, receiver: Receiver
):
    job_ids = []
    for number, change in enumerate(CHANGES.values()):
        job_ids.append(succeed(store, receiver.url(f"/200?{number}")))
        alter(store, job_ids[-1], {field: change[field] for field in change if field != "state"})
    alter(store, job_ids[0], {"ended_as": None, "ended_at": None, "state": "archived"})
    alter(store, job_ids[1], {"callback_url": None})
    store.connection.rpush("goodmany:outbox", "\xff no job")
    changed = settings.model_copy(update=QUICK)
    courier = CourierProcess(changed)
    try:
        for job_id in (*job_ids[:1], *job_ids[2:]):
            (delivery,) = over(store, job_id)
            assert delivery.outcome == "delivered"
        last = succeed(store, receiver.url("/200?last"))
        over(store, last)
        queue = Webhooks.connected(changed, store.connection).queue
        # Nothing waits to be tried again.
        wait_until(lambda: not queue.started_job_registry.get_job_ids(cleanup=False))
        assert queue.job_ids == []
        assert queue.scheduled_job_registry.get_job_ids(cleanup=False) == []
    finally:
        courier.stop()
    assert len(receiver.received) == len(job_ids)
