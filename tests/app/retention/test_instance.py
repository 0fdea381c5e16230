"""Files go from a storage only when its Redis is the one that knows its jobs."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from app.base.redis_connection import connect
from app.files.storage import Storage, outputs_of
from app.jobs.model import JobRequest, new_job_id
from app.jobs.store import EXPIRY_KEY, JobStore
from app.retention.instance import INSTANCE_KEY, ForeignStorageError, Instance
from app.retention.sweep import ORPHANS_LOCK_KEY, sweep_expired, sweep_orphans
from app.settings import Settings
from tests.conftest import WorkerProcess, wait_until
from workers.cli.main import cli
from workers.generation.clean_outputs import remove_lost_outputs
from workers.serve.embedded_redis import EmbeddedRedis

ASKED = JobRequest(object_name="nut")
YEARS_S = 10**9


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, settings: Settings) -> Storage:
    if request.param == "s3":
        return Storage(f"s3://{request.getfixturevalue('bucket')}/jobs")
    return Storage(settings.storage_address)


@pytest.fixture
def other_store(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[JobStore]:
    """Another service's Redis."""
    server = EmbeddedRedis(tmp_path_factory.mktemp("other"))
    with connect(server.url) as connection:
        yield JobStore(connection, settings.model_copy(update={"redis_url": server.url}))
    server.stop()


def finished(store: JobStore, storage: Storage) -> str:
    job_id = new_job_id()
    storage.write(job_id, "inputs/000", b"image")
    store.create(job_id, ASKED, 1)
    storage.write(job_id, f"{outputs_of('a')}/archive.zip", b"zip")
    store.start(job_id, "a")
    store.succeed(job_id, "a", {})
    return job_id


def sweep_orphans_of_all_times(store: JobStore, storage: Storage) -> int:
    store.connection.delete(ORPHANS_LOCK_KEY)
    return sweep_orphans(store, storage, time.time() + YEARS_S)


def is_there(storage: Storage, job_id: str) -> bool:
    return storage.read(job_id, f"{outputs_of('a')}/archive.zip") == b"zip"


def test_a_new_storage_is_marked_once_and_for_all(store: JobStore, storage: Storage):
    instance = Instance(store.connection, storage)
    assert instance.check() == instance.check() == storage.read_mark()
    assert instance.conflict() is None


@pytest.mark.parametrize("is_marked", [True, False])
def test_another_redis_removes_nothing(
    store: JobStore, other_store: JobStore, storage: Storage, tmp_path: Path, is_marked: bool
):
    job_id = finished(store, storage)
    if is_marked:
        Instance(store.connection, storage).check()
    # It has a life of its own: an instance id, a storage, a job that is due.
    elsewhere = Storage(str(tmp_path / "elsewhere"))
    other_id = finished(other_store, elsewhere)
    Instance(other_store.connection, elsewhere).check()
    storage.write(other_id, "inputs/000", b"image")
    other_store.connection.delete(f"goodmany:job:{other_id}")
    for sweep in (sweep_orphans_of_all_times, sweep_expired):
        with pytest.raises(ForeignStorageError, match="storage adopt"):
            sweep(other_store, storage)
    assert is_there(storage, job_id)
    # The right one goes on as ever.
    assert sweep_orphans_of_all_times(store, storage) == 1
    assert is_there(storage, job_id)


def test_a_redis_without_its_data_removes_nothing(store: JobStore, storage: Storage):
    job_id = finished(store, storage)
    Instance(store.connection, storage).check()
    store.connection.flushall()
    newer_id = finished(store, storage)
    store.connection.zadd(EXPIRY_KEY, {newer_id: 1})
    for sweep in (sweep_orphans_of_all_times, sweep_expired):
        with pytest.raises(ForeignStorageError, match="no instance id"):
            sweep(store, storage)
    # A worker that was at the lost job when it happened.
    remove_lost_outputs(store, storage, job_id)
    assert is_there(storage, job_id)
    assert is_there(storage, newer_id)
    assert store.connection.get(INSTANCE_KEY) is None


def test_jobs_known_to_an_older_version_are_known(store: JobStore, storage: Storage):
    """Neither Redis nor the storage has an id yet, and both have the same jobs."""
    job_id = finished(store, storage)
    orphan = new_job_id()
    storage.write(orphan, "inputs/000", b"image")
    assert sweep_orphans_of_all_times(store, storage) == 1
    assert is_there(storage, job_id)


def test_an_adopted_storage_is_swept_again_and_its_former_owner_removes_nothing(
    store: JobStore, other_store: JobStore, storage: Storage
):
    orphan, kept = finished(store, storage), finished(other_store, storage)
    Instance(store.connection, storage).check()
    assert Instance(other_store.connection, storage).adopt() == 1
    with pytest.raises(ForeignStorageError):
        sweep_orphans_of_all_times(store, storage)
    assert sweep_orphans_of_all_times(other_store, storage) == 1
    assert orphan not in storage.job_ids()
    assert is_there(storage, kept)


def test_the_operator_is_told_by_readyz_and_adopts_by_a_command(
    store: JobStore,
    settings: Settings,
    serve_api: Callable[..., httpx2.Client],
    start_worker: Callable[..., WorkerProcess],
):
    api = serve_api()
    storage = Storage(settings.storage_address)
    finished(store, storage)
    start_worker()
    assert api.get("/readyz").json() == {"status": "ok", "warnings": []}
    store.connection.delete(INSTANCE_KEY)
    answer = api.get("/readyz")
    assert answer.status_code == 200
    (warning,) = answer.json()["warnings"]
    assert (warning["field"], warning["code"]) == ("storage", "foreign_storage")
    assert "`goodmany storage adopt`" in warning["detail"]

    env = {"GOODMANY_REDIS_URL": settings.redis_url, "GOODMANY_DATA_DIR": str(settings.data_dir)}
    refused = CliRunner().invoke(cli, ["storage", "check"], env=env)
    assert isinstance(refused.exception, RuntimeError)
    assert "no instance id" in str(refused.exception)
    assert CliRunner().invoke(cli, ["storage", "adopt"], env=env).exit_code == 0
    assert CliRunner().invoke(cli, ["storage", "check"], env=env).exit_code == 0
    assert api.get("/readyz").json()["warnings"] == []


def test_a_worker_sweeps_nothing_of_another_service_and_says_so(
    store: JobStore,
    settings: Settings,
    start_worker: Callable[..., WorkerProcess],
    capfd: pytest.CaptureFixture[str],
):
    storage = Storage(settings.storage_address)
    job_id = finished(store, storage)
    Instance(store.connection, storage).check()
    store.connection.flushall()
    start_worker(orphans_ttl_s=0)
    said: list[str] = []

    def is_told() -> bool:
        said.append(capfd.readouterr().err)
        return "Redis has no instance id and the storage has one" in "".join(said)

    wait_until(is_told)
    assert is_there(storage, job_id)


def test_a_storage_that_is_away_is_no_new_storage(store: JobStore, tmp_path: Path):
    storage = Storage(str(tmp_path / "files"))
    Instance(store.connection, storage).check()
    (tmp_path / "files").rename(tmp_path / "unmounted")
    with pytest.raises(Exception, match="storage is away"):
        Instance(store.connection, storage).check()


def test_all_processes_may_mark_a_new_storage_at_once(store: JobStore, storage: Storage):
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: Instance(store.connection, storage).check(), range(64)))
    assert set(found) == {storage.read_mark()}
