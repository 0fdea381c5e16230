"""A storage that goes away while a job runs; all parts are real."""

from collections.abc import Callable

from app.files.storage import Storage, outputs_of
from app.jobs.model import JobRequest, JobState, new_job_id
from app.jobs.store import JobStore
from tests.conftest import WorkerProcess, encode, texture, wait_until
from tests.s3_server import Wire

StartWorker = Callable[..., WorkerProcess]
LOADER = "tests.workers.generation.quick_pipeline:load"
OUTPUTS = ["archive.zip", "evidence.zip", "preview.png"]


def submit(store: JobStore, storage: Storage, num_images: int) -> str:
    job_id = new_job_id()
    storage.write(job_id, "inputs/000", encode(texture()))
    return store.create(job_id, JobRequest(object_name="nut", num_images=num_images), 1).id


def wait_for_stage(store: JobStore, job_id: str, stage: str) -> None:
    wait_until(lambda: store.get(job_id).stage == stage)


def taken(store: JobStore) -> bool:
    """Whether a worker still has a job."""
    return any(queue.started_job_registry.count for queue in store.queues)


def outputs(store: JobStore, storage: Storage, job_id: str) -> list[str]:
    _, attempt = store.standing(job_id)
    names = storage.names(job_id, outputs_of(attempt))
    assert storage.names(job_id, "outputs") == [outputs_of(attempt)]
    return [name.rsplit("/", 1)[1] for name in names]


def test_a_job_outlasts_a_bucket_that_comes_back_and_a_canceled_one_does_not_wait(
    store: JobStore, start_worker: StartWorker, wire: Wire, bucket: str
):
    place = f"s3://{bucket}"
    storage = Storage(place)
    start_worker(LOADER, storage_url=place, cancel_grace_s=60)
    job_id, canceled = submit(store, storage, 20), submit(store, storage, 20)
    wait_for_stage(store, job_id, "fill")
    wire.cut()
    # All images are made, and there is no place for them.
    wait_for_stage(store, job_id, "archive")
    assert store.state(job_id) is JobState.running
    wire.mend()
    wait_for_stage(store, canceled, "fill")
    assert store.state(job_id) is JobState.succeeded
    assert outputs(store, storage, job_id) == OUTPUTS

    wire.cut()
    wait_for_stage(store, canceled, "archive")
    store.cancel(canceled)
    wait_until(lambda: not taken(store))
    wire.mend()
    assert store.state(canceled) is JobState.canceled
    assert storage.names(canceled, "") == ["/inputs"]
