"""Connections that break, a service that goes away, and how the client goes on."""

import io
import threading
from pathlib import Path

import pytest

from app.access.api_keys import ApiKeys
from goodmany import Client, Job, JobStatus, Result, errors
from tests.app.client.service import BreaksOnce, Restarted, Service
from tests.conftest import wait_until


class Follower(threading.Thread):
    """Waits for a job as another program would."""

    def __init__(self, address: str, job_id: str):
        super().__init__()
        self.address, self.job_id = address, job_id
        self.told: list[JobStatus] = []
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            with Client(self.address) as client:
                client.job(self.job_id).wait(self.told.append)
        except Exception as error:
            self.error = error

    def has_heard(self) -> bool:
        return any(status.state == "running" for status in self.told)

    def end(self) -> list[JobStatus]:
        self.join(90)
        assert not self.is_alive()
        if self.error is not None:
            raise self.error
        return self.told


def check_told(told: list[JobStatus]) -> None:
    """Nothing came twice, and nothing was missed at the end."""
    percents = [status.percent for status in told]
    assert percents == sorted(percents)
    assert told[-1].state == "succeeded"
    assert told[-1].percent == 100


def test_a_request_that_lost_its_answer_makes_one_job(service: Service, image: Path):
    wire = BreaksOnce(service.port, 0)
    with Client(wire.address) as client:
        job = client.submit(image, "nut that is sent again", num_images=1)
        assert wire.has_broken
        found = [one.id for one in client.jobs(object_name="nut that is sent again")]
    wire.cut()
    assert found == [job.id]


def test_a_download_that_broke_off_goes_on(service: Service, result: Result):
    wire = BreaksOnce(service.port, len(result.archive) // 2)
    with Client(wire.address) as client:
        job = client.job(result.job.id)
        file = io.BytesIO(b"before")
        file.seek(6)
        job.download("archive", file)
    wire.cut()
    assert wire.has_broken
    assert file.getvalue() == b"before" + result.archive


def test_a_download_that_cannot_go_on_begins_again(service: Service, result: Result):
    """What is made while it is sent has no ETag."""
    with Client(service.address) as client:
        whole = io.BytesIO()
        client.job(result.job.id).download("archive", whole, without="0")
    wire = BreaksOnce(service.port, len(whole.getvalue()) // 2)
    with Client(wire.address) as client:
        file = io.BytesIO()
        client.job(result.job.id).download("archive", file, without="0")
    wire.cut()
    assert wire.has_broken
    assert file.getvalue() == whole.getvalue()


def test_events_that_broke_off_go_on(service: Service, held: Job):
    wire = BreaksOnce(service.port, 10**9)
    follower = Follower(wire.address, held.id)
    wait_until(follower.has_heard)
    wire.cut()
    wire.mend()
    service.release()
    check_told(follower.end())
    wire.cut()


def test_a_service_that_is_started_anew_is_waited_for(service: Service, held: Job):
    api = Restarted(service.settings)
    follower = Follower(api.address, held.id)
    wait_until(follower.has_heard)
    api.stop()
    service.release()
    wait_until(lambda: held.refresh().is_over)
    api.start()
    check_told(follower.end())
    api.stop()


def test_a_service_that_does_not_come_back_is_told(service: Service, held: Job):
    wire = BreaksOnce(service.port, 10**9)
    with Client(wire.address, patience_s=0.5) as client:
        job = client.job(held.id)
        with pytest.raises(errors.UnreachableError, match=f"Job {held.id} may go on there"):
            job.wait(lambda _: wire.cut())


def test_where_no_events_come_through_it_asks(
    service: Service, held: Job, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("goodmany.http.waiting.SILENCE_S", 0.2)
    asked: list[str] = []
    with Client(service.address) as client:
        client.http.event_hooks["request"] = [lambda one: asked.append(one.headers.get("prefer"))]
        told: list[JobStatus] = []
        thread = threading.Thread(target=lambda: client.job(held.id).wait(told.append))
        thread.start()
        wait_until(lambda: any(asked))
        service.release()
        thread.join()
    check_told(told)


def test_too_many_questions_are_asked_later(service: Service, image: Path):
    _, text = ApiKeys(service.connection).create("a machine")
    with (
        service.other(require_api_key="always", max_requests_per_minute=60) as address,
        Client(address, text) as client,
    ):
        refusals: list[int] = []
        client.http.event_hooks["response"] = [lambda answer: refusals.append(answer.status_code)]
        job = client.submit(image, "nut", num_images=1)
        while 429 not in refusals:
            job.refresh()
        assert job.wait().state == "succeeded"


def test_nobody_there(image: Path):
    with (
        Client("http://127.0.0.1:1", max_retries=1) as client,
        pytest.raises(errors.UnreachableError, match="cannot be reached"),
    ):
        client.submit(image, "nut")
