"""What is none of ours in the courier's queues is never called, and none of its processes dies."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from rq import Queue
from rq.serializers import JSONSerializer

from app.jobs.queues.enqueue import DELIVER, FIND_WORDS, WEBHOOK_QUEUE, WORDS_QUEUE
from app.jobs.store import JobStore
from app.settings import Settings
from tests.conftest import wait_until
from tests.workers.courier.courier_process import CourierProcess
from tests.workers.courier.receiver import Receiver
from tests.workers.courier.webhook_jobs import CHANGES, over, succeed
from tests.workers.runtime.foreign_entries import FOREIGN, Forger, is_gone
from workers.serve.embedded_redis import EmbeddedRedis

WORDS, WEBHOOKS = (WORDS_QUEUE, FIND_WORDS, ("nut",)), (WEBHOOK_QUEUE, DELIVER, ("0" * 32, 1))


@pytest.fixture(scope="module")
def courier(redis_server: EmbeddedRedis) -> Iterator[CourierProcess]:
    """One that meets all of them, and has the same processes afterwards."""
    changes = {**CHANGES, "webhook_processes": 1}
    running = CourierProcess(Settings(redis_url=redis_server.url, **changes))
    wait_until(lambda: len(running.children()) == 2)
    before = running.children()
    yield running
    after = running.children()
    assert running.stop() == 0
    assert after == before


def forger_in(store: JobStore, queue_name: str, task: str, args: tuple[object, ...], folder: Path):
    queue = Queue(queue_name, connection=store.connection, serializer=JSONSerializer)
    return Forger(queue, task, "forged", args, folder / "called")


@pytest.mark.parametrize("target", [WORDS, WEBHOOKS], ids=["words", "webhooks"])
@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_entry_is_removed(
    courier: CourierProcess, store: JobStore, tmp_path: Path, kind: str, target
):
    forger = forger_in(store, *target, tmp_path)
    entry = FOREIGN[kind](forger)
    wait_until(lambda: is_gone(store.connection, forger.queue, entry))
    assert not forger.marker.exists()


def test_afterwards_both_do_their_work(
    courier: CourierProcess, store: JobStore, receiver: Receiver, api: httpx2.Client
):
    (delivery,) = over(store, succeed(store, receiver.url("/200")))
    assert delivery.outcome == "delivered"
    assert api.get("/v1/prompts", params={"object_name": "nut"}).is_success


def test_what_is_due_and_not_ours_is_removed(
    courier: CourierProcess, store: JobStore, receiver: Receiver, tmp_path: Path
):
    forger = forger_in(store, *WEBHOOKS, tmp_path)
    registry = forger.queue.scheduled_job_registry
    forged = forger.calling("os.system", f"touch {forger.marker}")
    broken = b"broken"
    store.connection.hset("rq:job:broken", mapping={"data": b"[]", "timeout": "soon"})
    store.connection.lrem(forger.queue.key, 1, forged.raw)
    names = (forged.raw, broken, b"gone", b"\xff", b"no id!")
    store.connection.zadd(registry.key, dict.fromkeys(names, 1))
    wait_until(lambda: store.connection.zcard(registry.key) == 0)
    wait_until(lambda: is_gone(store.connection, forger.queue, forged))
    assert not store.connection.exists("rq:job:broken")
    # A try that waits for its time is let alone.
    (*_, last) = over(store, succeed(store, receiver.url("/500/200")))
    assert (last.attempt, last.outcome) == (2, "delivered")
    assert not forger.marker.exists()


def test_names_of_an_older_version_are_the_tasks_of_this_one(
    courier: CourierProcess, store: JobStore, receiver: Receiver, api: httpx2.Client
):
    job_id = succeed(store, receiver.url("/200"))
    queue = Queue(WORDS_QUEUE, connection=store.connection, serializer=JSONSerializer)
    asked = queue.enqueue_call("workers.prompt_words.find_words", args=("nut",), result_ttl=60)
    wait_until(lambda: asked.latest_result() is not None)
    answer = asked.latest_result()
    assert answer is not None
    assert answer.return_value["object_name"] == "nut"

    over(store, job_id)
    store.connection.delete(f"goodmany:job:{job_id}:deliveries")
    queue = Queue(WEBHOOK_QUEUE, connection=store.connection, serializer=JSONSerializer)
    queue.enqueue_call("workers.webhook_delivery.deliver", args=(job_id, 1))
    (delivery,) = over(store, job_id)
    assert delivery.outcome == "delivered"
    assert len(receiver.received) == 2
