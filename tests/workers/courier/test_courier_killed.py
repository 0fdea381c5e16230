"""A courier that is killed or stopped, or whose Redis is, loses nothing."""

import json
import os
import signal
from collections.abc import Callable, Iterator

import pytest
from rq import Queue
from rq.scheduler import RQScheduler

from app.base.redis_connection import connect
from app.jobs.queues.enqueue import WEBHOOK_QUEUE
from app.jobs.store import OUTBOX_KEY, JobStore
from app.settings import Settings
from tests.conftest import PATIENCE_S, wait_until
from tests.processes import command_line
from tests.workers.courier.courier_process import CourierProcess
from tests.workers.courier.receiver import Receiver
from tests.workers.courier.webhook_jobs import CHANGES, over, succeed
from workers.serve.embedded_redis import EmbeddedRedis

pytestmark = pytest.mark.slow


@pytest.fixture
def start_courier(settings: Settings) -> Iterator[Callable[..., CourierProcess]]:
    started: list[CourierProcess] = []

    def start(**changes: object) -> CourierProcess:
        courier = CourierProcess(settings.model_copy(update=CHANGES | changes))
        started.append(courier)
        return courier

    yield start
    for courier in started:
        if courier.process.poll() is None:
            courier.stop()


@pytest.mark.parametrize("whole", [True, False])
def test_killed_in_mid_delivery_it_tells_the_end_all_the_same(
    store: JobStore,
    receiver: Receiver,
    start_courier: Callable[..., CourierProcess],
    whole: bool,
):
    # It ended while no courier was there at all.
    job_id = succeed(store, receiver.url("/hang/200"))
    assert store.connection.lrange(OUTBOX_KEY, 0, -1) == [job_id.encode()]
    courier = start_courier(webhook_timeout_s=30, webhook_processes=1)
    wait_until(lambda: len(receiver.received) == 1)
    queue = Queue(WEBHOOK_QUEUE, connection=store.connection)
    (taken,) = store.connection.zrange(queue.started_job_registry.key, 0, -1)
    if whole:
        courier.kill()
    else:
        for child in courier.children():
            assert "courier" in command_line(child)
            os.kill(child, signal.SIGKILL)
    # As if the time since then were over.
    store.connection.zadd(queue.started_job_registry.key, {taken: 1})
    store.connection.delete(RQScheduler.get_locking_key(WEBHOOK_QUEUE))
    if whole:
        start_courier()
    (delivery,) = over(store, job_id)
    assert (delivery.attempt, delivery.outcome) == (1, "delivered")
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert json.loads(second.body)["data"]["state"] == "succeeded"
    assert store.connection.llen(OUTBOX_KEY) == 0


def test_stopped_it_ends_the_try_that_it_makes(
    store: JobStore, receiver: Receiver, start_courier: Callable[..., CourierProcess]
):
    courier = start_courier(webhook_timeout_s=30, webhook_processes=1)
    job_id = succeed(store, receiver.url("/wait"))
    wait_until(lambda: len(receiver.received) == 1)
    courier.process.terminate()
    assert courier.process.poll() is None
    receiver.released.set()
    assert courier.process.wait(PATIENCE_S) == 0
    (delivery,) = over(store, job_id)
    assert delivery.outcome == "delivered"


def test_redis_may_be_killed_and_come_back(
    settings: Settings, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
):
    folder = tmp_path_factory.mktemp("r")
    server = EmbeddedRedis(folder)
    changes = CHANGES | {"redis_url": server.url, "webhook_processes": 1}
    courier = CourierProcess(settings.model_copy(update=changes))
    try:
        with connect(server.url) as connection:
            store = JobStore(connection, settings)
            over(store, succeed(store, receiver.url("/200?before")))
            server.process.kill()
            server.process.wait()
            server = EmbeddedRedis(folder)
            (delivery,) = over(store, succeed(store, receiver.url("/200?after")), 60)
            assert delivery.outcome == "delivered"
        assert courier.stop() == 0
    finally:
        courier.process.kill()
        courier.process.wait()
        server.stop()
    assert len(receiver.received) == 2
