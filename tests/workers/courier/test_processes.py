"""A real courier and real receivers, good and bad; nothing is lost and nothing waits for long."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import httpx2
import pytest
from rq import Queue
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.jobs.queues.enqueue import WEBHOOK_QUEUE
from app.jobs.store import JobStore
from app.observability.logs import log_fields
from app.problems import GenerationFailed
from app.settings import Settings
from tests.app.http.routes.test_jobs import PNG, post, slug
from tests.conftest import wait_until
from tests.workers.courier.courier_process import CourierProcess
from tests.workers.courier.receiver import Receiver
from tests.workers.courier.webhook_jobs import CHANGES, SECRET, create, deliveries, over, succeed
from workers.courier.webhook_secret import webhook_secret
from workers.serve.embedded_redis import EmbeddedRedis

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the courier writes."""
    return tmp_path_factory.mktemp("courier") / "log"


@pytest.fixture(scope="module")
def courier(redis_server: EmbeddedRedis, log: Path) -> Iterator[CourierProcess]:
    """One for all tests that do it no harm."""
    settings = Settings(redis_url=redis_server.url, log_format="json", **CHANGES)
    with log.open("wb") as file:
        running = CourierProcess(settings, stderr=file)
        yield running
        assert running.stop() == 0


def test_each_end_is_told_once_signed_and_as_the_api_tells_it(
    courier: CourierProcess, store: JobStore, receiver: Receiver, api: httpx2.Client
):
    succeeded = succeed(store, receiver.url("/200?token=s3cret"))
    failed = create(store, receiver.url("/200?failed"))
    store.fail(failed, GenerationFailed("It raised."))
    canceled = create(store, receiver.url("/200?canceled"))
    api.post(f"/v1/jobs/{canceled}/cancel").raise_for_status()
    # What comes too late changes nothing and tells nothing.
    assert not store.fail(succeeded, GenerationFailed("Too late."))
    for job_id in (succeeded, failed, canceled):
        (delivery,) = over(store, job_id)
        assert (delivery.outcome, delivery.status_code) == ("delivered", 200)
        listed = api.get(f"/v1/jobs/{job_id}/deliveries").json()["items"]
        assert listed == [delivery.model_dump(mode="json")]

    assert len(receiver.received) == 3
    told = {}
    for request in receiver.received:
        event = Webhook(SECRET).verify(request.body, request.headers)
        assert request.headers["content-type"] == "application/json"
        assert event["data"] == api.get(f"/v1/jobs/{event['data']['id']}").json()
        assert event["timestamp"] == event["data"]["ended_at"].replace("Z", "+00:00")
        told[event["type"]] = event["data"]["id"]
    assert told == {"job.succeeded": succeeded, "job.failed": failed, "job.canceled": canceled}
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 3
    assert b"s3cret" not in b"".join(request.body for request in receiver.received)


def test_its_log_names_the_request_that_the_job_came_with(
    courier: CourierProcess, log: Path, store: JobStore, receiver: Receiver
):
    with log_fields(request_id="r-7"):
        job_id = succeed(store, receiver.url("/500/204"))

    def tries() -> list[dict[str, str]]:
        complete, _, _ = log.read_text().rpartition("\n")
        events = [json.loads(line) for line in complete.splitlines()]
        return [event for event in events if event.get("job_id") == job_id]

    wait_until(lambda: len(tries()) == 2)
    assert [event["request_id"] for event in tries()] == ["r-7", "r-7"]
    assert [f"try {n}" in event["message"] for n, event in enumerate(tries(), 1)] == [True, True]


def test_each_key_has_a_secret_of_its_own(
    courier: CourierProcess, store: JobStore, receiver: Receiver, settings: Settings
):
    job_id = create(store, receiver.url("/200"), owner="their-key")
    store.cancel(job_id, "their-key")
    over(store, job_id)
    (request,) = receiver.received
    given = settings.model_copy(update=CHANGES)
    secret = webhook_secret(given, store.connection, "their-key")
    Webhook(secret).verify(request.body, request.headers)
    for other in ("", "another-key"):
        secret = webhook_secret(given, store.connection, other)
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(request.body, request.headers)


def test_tries_again_with_the_same_id_and_body_and_follows_no_redirect(
    courier: CourierProcess, store: JobStore, receiver: Receiver
):
    job_id = succeed(store, receiver.url("/500/redirect/204"))
    tries = over(store, job_id)
    assert [(t.attempt, t.outcome, t.status_code) for t in tries] == [
        (1, "failed", 500), (2, "failed", 307), (3, "delivered", 204)
    ]  # fmt: skip
    for earlier, later in pairwise(tries):
        assert earlier.next_try_at is not None
        assert later.at >= earlier.next_try_at
    assert {request.path for request in receiver.received} == {"/500/redirect/204"}
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    assert len({request.body for request in receiver.received}) == 1
    for request in receiver.received:
        Webhook(SECRET).verify(request.body, request.headers)


def test_bad_receivers_cost_a_bounded_time_and_then_another_chance(
    courier: CourierProcess, store: JobStore, receiver: Receiver
):
    too_long, broken = "no answer within 1 s", "the connection broke off or its answer is no HTTP"
    errors = {"hang": too_long, "drip": too_long, "close": broken, "garbage": broken}
    jobs = {step: succeed(store, receiver.url(f"/{step}/200")) for step in errors}
    endless = succeed(store, receiver.url("/endless"))
    closed_port = Receiver()
    closed_port.close()
    unreachable = succeed(store, closed_port.url("/"))
    for step, job_id in jobs.items():
        tries = over(store, job_id)
        assert [(t.outcome, t.error) for t in tries] == [
            ("failed", errors[step]), ("delivered", None)
        ]  # fmt: skip
    # The body is nobody's concern.
    assert [t.outcome for t in over(store, endless)] == ["delivered"]
    # Given up after the last try.
    assert [t.error for t in over(store, unreachable)] == ["the connection was refused"] * 3


def test_410_and_private_addresses_are_not_tried_again(
    courier: CourierProcess, store: JobStore, receiver: Receiver
):
    gone = succeed(store, receiver.url("/410/200"))
    by_name = succeed(store, "http://localhost.:1/")
    metadata = succeed(store, "http://169.254.169.254/latest/meta-data/")
    assert [(t.outcome, t.status_code) for t in over(store, gone)] == [("gone", 410)]
    (refused,) = over(store, metadata)
    assert (refused.outcome, refused.error) == ("refused", "the host has a private address")
    assert over(store, by_name)
    queue = Queue(WEBHOOK_QUEUE, connection=store.connection)
    wait_until(lambda: not queue.started_job_registry.count)
    assert queue.count == queue.scheduled_job_registry.count == 0


def test_a_forgotten_job_is_told_no_more_and_leaves_nothing(
    courier: CourierProcess, store: JobStore, receiver: Receiver
):
    job_id = succeed(store, receiver.url("/500"))
    wait_until(lambda: len(deliveries(store, job_id)) == 1)
    store.forget(job_id)
    queue = Queue(WEBHOOK_QUEUE, connection=store.connection)
    wait_until(lambda: queue.count + queue.scheduled_job_registry.count == 0)
    wait_until(lambda: queue.started_job_registry.count == 0)
    assert len(receiver.received) <= 2
    # RQ's own go by themselves, within the times of a task.
    keys = set(store.connection.scan_iter(f"*{job_id}*"))
    assert {
        key for key in keys if not key.startswith((b"rq:job", b"rq:exec", b"rq:results"))
    } == set()


def test_words_do_not_wait_for_receivers_that_hang(
    courier: CourierProcess, store: JobStore, receiver: Receiver, api: httpx2.Client
):
    named = {"object_name": "Metal_nuts"}
    # The words are loaded first.
    wait_until(lambda: api.get("/v1/prompts", params=named).is_success)
    jobs = [succeed(store, receiver.url(f"/hang?{number}")) for number in range(20)]
    wait_until(lambda: len(receiver.received) >= 2)
    answer = api.get("/v1/prompts", params=named)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["object_name"], told["looked_up"]) == ("metal nut", "nut")
    texts = [c["text"] for sense in told["senses"] for c in sense["candidates"]]
    assert "a flawless metal nut" in texts
    unknown = api.get("/v1/prompts", params={"object_name": "qwrtz"}).json()
    assert unknown["looked_up"] is None
    assert unknown["senses"][0]["name"] is None
    assert unknown["senses"][0]["candidates"][0]["text"] == "a qwrtz"
    fields = {"object_name": "nut"}
    meant = post(api, PNG, **fields, sense="nut.n.01")
    assert meant.json()["request"]["sense"] == "nut.n.01"
    for name, sense, said in (
        ("nut", "nut.n.02", "it has: nut.n.03 (a small"),
        ("nut", "seed", "'nut' has no meaning 'seed'; it has: nut.n.03 (a small"),
        ("qwrtz", "nut.n.01", "'qwrtz' is not in the dictionary"),
    ):
        refused = post(api, PNG, object_name=name, sense=sense)
        assert slug(refused) == "invalid-request"
        (error,) = refused.json()["errors"]
        assert (error["field"], error["code"]) == ("sense", "unknown_sense")
        assert said in error["detail"]
    assert not all(deliveries(store, job_id) for job_id in jobs)
    receiver.released.set()
    assert not courier.has_loaded("libtorch")
    assert courier.has_loaded("_ssl")
