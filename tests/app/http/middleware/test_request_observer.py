"""Request ids and access lines over real HTTP."""

import logging
import re

import httpx2
import pytest
from rq.job import Job as QueuedJob
from rq.serializers import JSONSerializer

from app.jobs.store import JobStore
from app.settings import Settings
from tests.app.http.routes.test_jobs import PNG, post

MADE = re.compile(r"[0-9a-f]{32}")


@pytest.mark.parametrize("asked", ["4711", "Root=1-67891233-abcdef012345678912345678", "x" * 128])
def test_a_sane_id_comes_back(api: httpx2.Client, asked: str):
    assert api.get("/livez", headers={"X-Request-ID": asked}).headers["x-request-id"] == asked


@pytest.mark.parametrize("asked", ["", "x" * 129, "a b", 'a"b', "a\tb", "{}", b"\xc3\xa4"])
def test_any_other_id_is_replaced(api: httpx2.Client, asked: str | bytes):
    answer = api.get("/livez", headers={"X-Request-ID": asked})
    assert MADE.fullmatch(answer.headers["x-request-id"])


def test_every_answer_has_an_id_of_its_own(api: httpx2.Client, settings: Settings):
    answers = [
        api.get("/livez"),
        api.get("/nowhere"),
        api.get(f"/v1/jobs/{'0' * 32}"),
        api.put("/v1/jobs"),
        post(api, b"no image"),
        api.post("/v1/jobs", content=b"x" * (settings.max_upload_bytes + 1)),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 404, 405, 422, 413]
    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len(ids) == len(answers)


def test_a_fault_of_ours_is_a_500_with_its_id_and_one_log_line(
    api: httpx2.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a secret")

    job_id = post(api, PNG).json()["id"]
    monkeypatch.setattr(JobStore, "get", fail)
    answer = api.get(f"/v1/jobs/{job_id}")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert MADE.fullmatch(answer.headers["x-request-id"])
    assert "secret" not in answer.text
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.getMessage() == "GET /v1/jobs/{job_id} raised"


def test_the_job_carries_the_id_of_its_request(api: httpx2.Client, store: JobStore):
    files = [("images", ("a.png", PNG))]
    headers = {"X-Request-ID": "order-7"}
    answer = api.post("/v1/jobs", data={"object_name": "nut"}, files=files, headers=headers)
    job = QueuedJob.fetch(answer.json()["id"], store.connection, JSONSerializer)
    assert job.meta == {"log_fields": {"request_id": "order-7"}, "trace": {}}


def test_an_access_line_tells_the_template_and_nothing_that_a_client_wrote(
    api: httpx2.Client, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "goodmany.access")
    job_id = "0" * 32
    for path in (f"/v1/jobs/{job_id}?token=secret", "/v1/jobs/a%0Asecret", "/secret", "/livez"):
        api.get(path)
    lines = [record for record in caplog.records if record.name == "goodmany.access"]
    assert [record.getMessage() for record in lines] == [
        "GET /v1/jobs/{job_id} 422",
        "GET /v1/jobs/{job_id} 404",
        "GET none 404",
    ]
    fields = [vars(record)["fields"] for record in lines]
    assert [field.get("job_id") for field in fields] == [job_id, None, None]
    assert all(field["num_bytes"] > 0 and field["duration_s"] >= 0 for field in fields)
    assert "secret" not in str(fields)
