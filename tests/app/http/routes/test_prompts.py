"""The prompt dry run as HTTP, without a courier (tests/workers/courier has one)."""

import threading

import httpx2
import pytest
from rq import Queue

from app.http import word_question
from app.jobs.queues.enqueue import WORDS_QUEUE
from app.jobs.store import JobStore
from tests.app.http.routes.test_jobs import PNG, post, slug
from tests.conftest import wait_until


def test_no_courier_is_a_problem_and_blocks_nobody(
    api: httpx2.Client, store: JobStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(word_question, "ANSWER_WITHIN_S", 2)
    answers: list[httpx2.Response] = []
    # More than there are threads for blocking work.
    threads = [
        threading.Thread(target=lambda: answers.append(ask(api, "metal nut"))) for _ in range(45)
    ]
    queue = Queue(WORDS_QUEUE, connection=store.connection)
    for thread in threads:
        thread.start()
    wait_until(lambda: queue.count > 0)
    assert api.get("/v1/jobs").status_code == 200
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {503}
    problem = answers[0].json()
    assert problem["type"] == "urn:goodmany:problem:not-ready"
    assert answers[0].headers["retry-after"] == "5"
    # Nobody waits for these words any more.
    assert queue.count == 0
    wait_until(lambda: not store.connection.keys("rq:job:*"))


def test_a_meaning_cannot_be_checked_without_a_courier(
    api: httpx2.Client, store: JobStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(word_question, "ANSWER_WITHIN_S", 1)
    answer = post(api, PNG, sense="nut.n.01")
    assert (answer.status_code, slug(answer)) == (503, "not-ready")
    assert api.get("/v1/jobs").json()["items"] == []
    assert Queue(WORDS_QUEUE, connection=store.connection).count == 0


@pytest.mark.parametrize("name", ["", "n" * 81, "1234", "nut\x00"])
def test_a_bad_name_is_a_problem_at_once(api: httpx2.Client, store: JobStore, name: str):
    answer = ask(api, name)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["object_name"]
    assert Queue(WORDS_QUEUE, connection=store.connection).count == 0


def ask(api: httpx2.Client, name: str) -> httpx2.Response:
    return api.get("/v1/prompts", params={"object_name": name})
