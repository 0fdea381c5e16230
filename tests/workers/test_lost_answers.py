"""Redis executes a command and its answer gets lost: what was asked for is done once, not twice."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from app.base.redis_connection import connect
from app.base.transactions import execute_once
from app.jobs.deliveries import DeliveryLog
from app.jobs.model import JobRequest, new_job_id
from app.jobs.store import OUTBOX_KEY, JobStore
from app.observability.shared_metrics import METRICS_KEY
from app.settings import Settings
from tests.conftest import encode, texture
from tests.redis_proxy import RedisProxy
from tests.workers.courier.courier_process import CourierProcess
from tests.workers.courier.receiver import Receiver
from tests.workers.courier.webhook_jobs import CHANGES, create, over, succeed
from workers.courier.webhook_delivery import Webhooks
from workers.generation.lost_jobs import requeue_lost_jobs
from workers.serve.embedded_redis import EmbeddedRedis

FILES = {"data": {"object_name": "nut"}, "files": [("images", ("a.png", encode(texture())))]}
CREATED = b'["goodmany_job_transitions","none","queued"]'
CANCELED = b'["goodmany_job_transitions","queued","canceled"]'


@pytest.fixture
def proxy(redis_server: EmbeddedRedis) -> Iterator[RedisProxy]:
    proxy = RedisProxy(Path(redis_server.socket))
    yield proxy
    # Each test loses one answer, or it has tested nothing.
    assert proxy.num_lost == 1
    proxy.close()


@pytest.fixture
def far_store(proxy: RedisProxy, settings: Settings) -> Iterator[JobStore]:
    """A store whose answers may get lost."""
    with connect(proxy.url) as connection:
        yield JobStore(connection, settings)


def entries(store: JobStore) -> list[bytes]:
    return [
        job_id for queue in store.queues for job_id in queue.connection.lrange(queue.key, 0, -1)
    ]


def states(store: JobStore, job_id: str) -> list[str]:
    events = store.connection.xrange(f"goodmany:job:{job_id}:events")
    return [fields[b"state"].decode() for _, fields in events]


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "once"}])
def test_a_job_is_created_once(
    proxy: RedisProxy,
    store: JobStore,
    serve_api: Callable[..., httpx2.Client],
    headers: dict[str, str],
):
    api = serve_api(redis_url=proxy.url)
    proxy.lose_answer("EXEC", "RPUSH")
    answer = api.post("/v1/jobs", headers=headers, **FILES)
    assert answer.status_code == 202
    job_id = answer.json()["id"]
    assert entries(store) == [job_id.encode()]
    assert states(store, job_id) == ["queued"]
    assert store.connection.hget(METRICS_KEY, CREATED) == b"1"
    assert [job.id for job in store.page(None, 10).items] == [job_id]
    assert api.get(f"/v1/jobs/{job_id}").json()["queue_position"] == 1


def test_a_job_of_a_full_key_is_created_once(far_store: JobStore, proxy: RedisProxy):
    far_store.settings = far_store.settings.model_copy(update={"max_unfinished_jobs": 1})
    proxy.lose_answer("EXEC", "RPUSH")
    # That it is there already must not count as the key having no room.
    job_id = far_store.create(new_job_id(), JobRequest(object_name="nut"), 1, owner="a").id
    assert entries(far_store) == [job_id.encode()]


def test_a_job_is_canceled_once_and_for_certain(
    proxy: RedisProxy, store: JobStore, serve_api: Callable[..., httpx2.Client]
):
    api = serve_api(redis_url=proxy.url)
    job_id = api.post("/v1/jobs", **FILES).json()["id"]
    proxy.lose_answer("EVALSHA", '"canceled"')
    answer = api.post(f"/v1/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (202, "canceled")
    assert states(store, job_id) == ["queued", "canceled"]
    assert store.connection.hget(METRICS_KEY, CANCELED) == b"1"


def test_a_canceled_job_leaves_nothing_in_the_queue(far_store: JobStore, proxy: RedisProxy):
    job_id = far_store.create(new_job_id(), JobRequest(object_name="nut"), 1).id
    far_store.cancel(far_store.create(new_job_id(), JobRequest(object_name="nut"), 1).id)
    proxy.lose_answer("EVALSHA", "rq:queue:interactive")
    far_store.cancel(job_id)
    assert entries(far_store) == []
    assert not far_store.connection.exists(f"rq:job:{job_id}")


def test_a_job_ends_once_and_its_webhook_is_told_once(
    far_store: JobStore, proxy: RedisProxy, receiver: Receiver
):
    job_id = create(far_store, receiver.url("/200"))
    far_store.start(job_id, "a")
    proxy.lose_answer("EVALSHA", '"succeeded"')
    assert far_store.succeed(job_id, "a", {"num_images": "4"})
    assert states(far_store, job_id) == ["queued", "running", "succeeded"]
    assert far_store.connection.lrange(OUTBOX_KEY, 0, -1) == [job_id.encode()]


def test_progress_is_told_once(far_store: JobStore, proxy: RedisProxy):
    job_id = far_store.create(new_job_id(), JobRequest(object_name="nut"), 1).id
    far_store.start(job_id, "a")
    proxy.lose_answer("EVALSHA", "percent")
    assert far_store.progress(job_id, "a", {"percent": "50"})
    assert states(far_store, job_id) == ["queued", "running", "running"]


def test_an_event_in_the_outbox_becomes_one_try(
    far_store: JobStore, proxy: RedisProxy, receiver: Receiver, settings: Settings
):
    job_id = succeed(far_store, receiver.url("/200"))
    webhooks = Webhooks.connected(settings, far_store.connection)
    proxy.lose_answer("EXEC", "LTRIM")
    webhooks.empty_outbox()
    assert far_store.connection.llen(OUTBOX_KEY) == 0
    assert webhooks.queue.job_ids == [f"{job_id}-webhook-1"]


def test_a_failed_try_is_noted_once_so_that_the_next_one_is_made(
    proxy: RedisProxy, store: JobStore, settings: Settings, receiver: Receiver
):
    """Noted twice, it would count as the next one, and the event would be lost."""
    job_id = succeed(store, receiver.url("/500/200"))
    proxy.lose_answer("EXEC", "deliveries", "failed")
    courier = CourierProcess(settings.model_copy(update={**CHANGES, "redis_url": proxy.url}))
    try:
        outcomes = [(delivery.attempt, delivery.outcome) for delivery in over(store, job_id, 60)]
    finally:
        courier.stop()
    assert outcomes == [(1, "failed"), (2, "delivered")]
    assert DeliveryLog(store.connection).read(job_id)[-1].status_code == 200
    assert len(receiver.received) == 2


def test_a_lost_job_is_queued_again_once(far_store: JobStore, proxy: RedisProxy):
    job_id = far_store.create(new_job_id(), JobRequest(object_name="nut"), 1).id
    far_store.connection.delete(*(queue.key for queue in far_store.queues))
    proxy.lose_answer("EXEC", "LPUSH")
    assert requeue_lost_jobs(far_store) == 1
    assert entries(far_store) == [job_id.encode()]


def test_any_transaction_of_ours_is_executed_once(far_store: JobStore, proxy: RedisProxy):
    proxy.lose_answer("EXEC", "INCR")
    execute_once(far_store.connection, lambda pipeline: pipeline.incr("test:count"))
    assert far_store.connection.get("test:count") == b"1"
