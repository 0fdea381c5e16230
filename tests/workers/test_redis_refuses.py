"""A Redis that refuses for a while: worker and courier go on in the same processes afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.jobs.model import JobState
from tests.app.base.test_redis_connection import refuse, relent
from tests.conftest import wait_until
from tests.processes import alive
from tests.service_parts import ServiceParts
from tests.workers.courier.courier_process import CourierProcess
from tests.workers.courier.receiver import Receiver
from tests.workers.courier.webhook_jobs import CHANGES, over

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceParts]:
    with ServiceParts(tmp_path_factory.mktemp("parts"), changes=CHANGES) as parts:
        parts.start_api()
        parts.start_worker()
        yield parts


@pytest.fixture(scope="module")
def courier(parts: ServiceParts) -> Iterator[CourierProcess]:
    courier = CourierProcess(parts.settings)
    yield courier
    courier.stop()


@pytest.mark.parametrize("code", ["READONLY", "OOM", "NOREPLICAS"])
def test_nothing_stops_and_no_job_is_lost(
    parts: ServiceParts, courier: CourierProcess, receiver: Receiver, code: str
):
    first = parts.submit(callback_url=receiver.url("/200?first"))
    parts.wait_over([first])
    over(parts.store, first)
    processes = {parts.workers[0].pid, *parts.child_pids(), *courier.children()}
    log = Path(parts.folder / "parts.log")

    running = parts.submit(60, callback_url=receiver.url("/200?running"))
    waiting = parts.submit(callback_url=receiver.url("/200?waiting"))
    parts.wait_images(running)
    said = log.stat().st_size
    refuse(parts.connection, code)
    try:
        # Worker and child have met it, and it lasts until the job's images are made.
        wait_until(lambda: "goes on without Redis" in log.read_text()[said:])
        outputs = Path(parts.storage.path(running, "outputs"))
        wait_until(lambda: any(outputs.glob("*/preview.png")))
    finally:
        relent(parts.connection)
    parts.wait_over([running, waiting])
    assert parts.count_states([running, waiting]) == {JobState.succeeded: 2}
    for job_id in (running, waiting):
        (delivery,) = over(parts.store, job_id)
        assert delivery.outcome == "delivered"
    assert alive(processes) == processes
    assert parts.faults([first, running, waiting]) == []
    assert parts.http.get("/readyz").is_success
