"""Jobs with a callback, and what became of it."""

import redis

from app.jobs.deliveries import Delivery, DeliveryLog
from app.jobs.model import JobRequest, new_job_id
from app.jobs.store import JobStore
from app.settings import Settings
from tests.conftest import PATIENCE_S, wait_until
from workers.courier.webhook_secret import webhook_secret

ROOT_SECRET = "whsec_" + "c2VjcmV0" * 6
CHANGES = {
    "webhook_secret": ROOT_SECRET,
    "webhook_allow_private": "127.0.0.0/8",
    "webhook_timeout_s": 1,
    "webhook_backoff_s": "0.2,0.2",
    "webhook_processes": 2,
}

# Of jobs without a key; a secret that is set needs no Redis.
SECRET = webhook_secret(Settings(webhook_secret=ROOT_SECRET), redis.Redis())


def create(store: JobStore, url: str, owner: str = "") -> str:
    request = JobRequest.model_validate({"object_name": "nut", "callback_url": url})
    return store.create(new_job_id(), request, 1, owner=owner).id


def succeed(store: JobStore, url: str) -> str:
    job_id = create(store, url)
    store.start(job_id, "attempt")
    assert store.succeed(job_id, "attempt", {"num_images": "2", "prompt": "a good nut"})
    return job_id


def deliveries(store: JobStore, job_id: str) -> list[Delivery]:
    return DeliveryLog(store.connection).read(job_id)


def over(store: JobStore, job_id: str, timeout_s: float = PATIENCE_S) -> list[Delivery]:
    """The tries, after the last one."""

    def is_over() -> bool:
        tries = deliveries(store, job_id)
        return bool(tries) and tries[-1].next_try_at is None

    wait_until(is_over, timeout_s)
    return deliveries(store, job_id)
