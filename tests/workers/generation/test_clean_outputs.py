"""A job that is finished twice has one archive, and nothing else is left of the other attempt."""

import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.files.storage import Storage, outputs_of
from app.jobs.model import JobRequest, JobState, new_job_id
from app.jobs.store import JobStore
from app.retention.sweep import remove_files
from app.settings import Settings
from tests.conftest import encode, texture
from tests.workers.generation import quick_pipeline
from tests.workers.generation.quick_pipeline import QuickPipeline
from workers.generation import tasks
from workers.generation.clean_outputs import remove_lost_outputs
from workers.generation.tasks import run_job

FILES = {"inputs/000", "archive.zip", "evidence.zip", "preview.png"}


@pytest.fixture
def storage(settings: Settings) -> Iterator[Storage]:
    quick_pipeline.load(settings)
    yield Storage(settings.storage_address)
    (warm,) = tasks._warm
    warm.decoders.close()


@pytest.fixture
def job_id(store: JobStore, storage: Storage) -> str:
    job_id = new_job_id()
    storage.write(job_id, "inputs/000", encode(texture()))
    return store.create(job_id, JobRequest(object_name="nut", num_images=3), 1).id


def files(storage: Storage, job_id: str) -> set[str]:
    """All files of the job, without the names of attempts."""
    folder = Path(storage.path(job_id, ""))
    paths = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return {str(path) if path.parts[0] == "inputs" else path.name for path in paths}


def attempts(storage: Storage, job_id: str) -> list[str]:
    folder = Path(storage.path(job_id, "outputs"))
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_two_attempts_at_once_leave_one_archive(store: JobStore, storage: Storage, job_id: str):
    threads = [threading.Thread(target=run_job, args=(job_id,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    remove_lost_outputs(store, storage, job_id)
    state, attempt = store.standing(job_id)
    assert state is JobState.succeeded
    assert attempts(storage, job_id) == [attempt]
    assert files(storage, job_id) == FILES
    name = f"{outputs_of(attempt)}/archive.zip"
    with storage.open(job_id, name) as file, zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None


class TakenOverPipeline(QuickPipeline):
    """While it works, another attempt takes the job, and succeeds or only begins."""

    def __init__(self, rival_succeeds: bool):
        self.rival_succeeds = rival_succeeds

    def generate(self, request, on_progress):
        result = super().generate(request, lambda *_: None)
        (warm,) = tasks._warm
        job_id = on_progress.job_id
        warm.store.start(job_id, "rival")
        warm.storage.write(job_id, f"{outputs_of('rival')}/archive.zip", b"the rival's")
        if self.rival_succeeds:
            warm.store.succeed(job_id, "rival", {})
        return result


@pytest.mark.parametrize("rival_succeeds", [True, False])
def test_an_archive_that_a_client_may_have_begun_to_read_never_changes(
    store: JobStore,
    storage: Storage,
    job_id: str,
    rival_succeeds: bool,
    monkeypatch: pytest.MonkeyPatch,
):
    (warm,) = tasks._warm
    pipeline = TakenOverPipeline(rival_succeeds)
    tasks._warm[:] = [tasks.WarmModels(warm.settings, pipeline, warm.store, warm.storage)]
    # As if Redis were away just then: this attempt goes on and writes its archive.
    monkeypatch.setattr(tasks.Progress, "__call__", lambda *_, **__: None)
    run_job(job_id)
    if not rival_succeeds:
        # Its files stay until the job is over, for it may be alive.
        remove_lost_outputs(store, storage, job_id)
        assert len(attempts(storage, job_id)) == 2
        assert store.succeed(job_id, "rival", {})
    remove_lost_outputs(store, storage, job_id)
    assert store.standing(job_id) == (JobState.succeeded, "rival")
    assert attempts(storage, job_id) == ["rival"]
    assert storage.read(job_id, f"{outputs_of('rival')}/archive.zip") == b"the rival's"


def test_a_job_that_succeeded_is_not_done_again(store: JobStore, storage: Storage, job_id: str):
    run_job(job_id)
    before = store.get(job_id), attempts(storage, job_id)
    # RQ tries again when the worker was killed between the archive and its own books.
    run_job(job_id)
    assert (store.get(job_id), attempts(storage, job_id)) == before


def test_a_success_whose_answer_was_lost_is_told_again(store: JobStore, job_id: str):
    store.start(job_id, "a")
    assert store.succeed(job_id, "a", {"num_images": "3"})
    assert store.succeed(job_id, "a", {"num_images": "3"})
    assert not store.succeed(job_id, "b", {"num_images": "3"})


def test_a_failure_of_an_attempt_that_was_replaced_is_not_the_jobs(
    store: JobStore, storage: Storage, job_id: str
):
    """Its inputs vanish under it after another attempt took over."""

    class Replaced(QuickPipeline):
        def generate(self, request, on_progress):
            store.start(job_id, "another")
            raise OSError("gone")

    (warm,) = tasks._warm
    tasks._warm[:] = [tasks.WarmModels(warm.settings, Replaced(), warm.store, warm.storage)]
    run_job(job_id)
    assert store.standing(job_id) == (JobState.running, "another")


@pytest.mark.parametrize("end", ["cancel", "fail", "expire"])
def test_nothing_stays_of_a_job_without_success(
    store: JobStore, storage: Storage, job_id: str, end: str
):
    store.start(job_id, "a")
    storage.write(job_id, f"{outputs_of('a')}/archive.zip", b"half")
    remove_lost_outputs(store, storage, job_id)
    assert attempts(storage, job_id) == ["a"]
    if end == "fail":
        store.fail(job_id, tasks.TooFewImages("2 of 3."))
    else:
        store.cancel(job_id)
    if end == "expire":
        remove_files(store, storage, job_id)
        storage.write(job_id, f"{outputs_of('a')}/archive.zip", b"late")
    remove_lost_outputs(store, storage, job_id)
    assert files(storage, job_id) == (set() if end == "expire" else {"inputs/000"})
