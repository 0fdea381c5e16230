"""What is noted of a try, and of which job."""

from datetime import UTC, datetime

import pytest

from app.jobs.deliveries import DeliveryOutcome
from app.jobs.store import JobStore
from app.settings import Settings
from tests.workers.courier.webhook_jobs import CHANGES, deliveries, succeed
from workers.courier.webhook_delivery import Webhooks
from workers.courier.webhook_message import WebhookMessage
from workers.courier.webhook_post import Answer


@pytest.mark.parametrize("forgotten", [False, True])
def test_of_a_job_that_is_forgotten_while_its_receiver_answers_nothing_stays(
    store: JobStore, forgotten: bool
):
    webhooks = Webhooks.connected(Settings(**CHANGES), store.connection)
    job_id = succeed(store, "https://qa.example/done")
    message = WebhookMessage.of_job(job_id, store.get_record(job_id))
    if forgotten:
        store.forget(job_id)
    noted = webhooks.note(message, job_id, 1, datetime.now(UTC), Answer(status_code=500))
    assert deliveries(store, job_id) == [noted] * (not forgotten)
    assert noted is None or noted.outcome is DeliveryOutcome.failed
    assert webhooks.queue.scheduled_job_registry.count == (not forgotten)
