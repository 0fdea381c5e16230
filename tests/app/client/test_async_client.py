"""The client that awaits has all that the other has, and does the same."""

import asyncio
import inspect
import io
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from goodmany import (
    AsyncClient,
    AsyncJob,
    Client,
    Job,
    JobCanceledError,
    JobStatus,
    Result,
    errors,
)
from tests.app.client.held_by_name import HELD
from tests.app.client.service import BreaksOnce, Service
from tests.conftest import texture
from tests.workers.generation.held_pipeline import GO_KEY, HELD_KEY


def public(kind: type) -> dict[str, Any]:
    names = {name for name in vars(kind) if not name.startswith("_")}
    return {name: getattr(kind, name) for name in names}


@pytest.mark.parametrize(("blocking", "awaiting"), [(Client, AsyncClient), (Job, AsyncJob)])
def test_it_has_the_same_methods_with_the_same_arguments(blocking: type, awaiting: type):
    one, other = public(blocking), public(awaiting)
    # As everywhere, what closes an asynchronous thing has a name of its own.
    renamed = {"close": "aclose"} if blocking is Client else {}
    assert {renamed.get(name, name) for name in one} == set(other)
    for name, method in one.items():
        twin = other[renamed.get(name, name)]
        if not callable(method):
            continue
        assert inspect.iscoroutinefunction(twin) or inspect.isasyncgenfunction(twin), name
        assert inspect.signature(twin).parameters == inspect.signature(method).parameters, name
    made = [inspect.signature(kind.__init__).parameters for kind in (blocking, awaiting)]
    assert made[0] == made[1]


def run(
    work: Callable[[AsyncClient], Coroutine[Any, Any, None]], address: str, max_retries: int = 2
) -> None:
    async def main() -> None:
        async with AsyncClient(address, max_retries=max_retries) as client:
            await work(client)

    asyncio.run(main())


def test_jobs_side_by_side(service: Service):
    told: list[JobStatus] = []

    async def note(status: JobStatus) -> None:
        await asyncio.sleep(0)
        told.append(status)

    async def one(client: AsyncClient, seed: int) -> Result:
        return await client.generate(
            texture(), "async nut", seed=seed, num_images=2, on_progress=note
        )

    async def work(client: AsyncClient) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(client, seed)) for seed in (1, 2)]
        results = [task.result() for task in tasks]
        assert [len(list(result.images())) for result in results] == [2, 2]
        assert [result.manifest["request"]["seed"] for result in results] == [1, 2]
        found = [job.id async for job in client.jobs(object_name="async nut")]
        assert set(found) == {result.job.id for result in results}

    run(work, service.address)
    assert {status.state for status in told} >= {"succeeded"}


def test_a_job_is_followed_canceled_and_deleted(service: Service, image: Path):
    service.connection.delete(GO_KEY, HELD_KEY)

    async def work(client: AsyncClient) -> None:
        job = await client.submit(image, HELD, num_images=1)
        with pytest.raises(errors.WaitTimeoutError):
            await job.wait(timeout_s=0.1)
        again = await client.job(job.id)
        assert (await again.cancel()).state == "canceled"
        with pytest.raises(JobCanceledError):
            await job.wait()
        with pytest.raises(errors.JobWithoutArchiveError):
            await job.download("archive", io.BytesIO())
        await job.delete()
        assert (await job.refresh()).state == "expired"

    run(work, service.address)


def test_faults_are_told_and_borne_alike(service: Service, image: Path):
    async def refused(client: AsyncClient) -> None:
        with pytest.raises(errors.InvalidRequestError):
            await client.submit(image, "123")
        with pytest.raises(errors.NotReadyError, match="viewer"):
            await client.views(image)

    run(refused, service.address, max_retries=0)

    async def sent_again(client: AsyncClient) -> None:
        job = await client.submit(image, "async nut sent again", num_images=1)
        found = [one.id async for one in client.jobs(object_name="async nut sent again")]
        assert found == [job.id]

    wire = BreaksOnce(service.port, 0)
    run(sent_again, wire.address)
    wire.cut()
    assert wire.has_broken

    async def nobody(client: AsyncClient) -> None:
        with pytest.raises(errors.UnreachableError):
            await client.job("0" * 32)

    run(nobody, "http://127.0.0.1:1", max_retries=0)


def test_a_download_that_broke_off_goes_on(service: Service):
    with Client(service.address) as client:
        result = client.generate(texture(), "nut", num_images=3)
    wire = BreaksOnce(service.port, len(result.archive) // 2)

    async def work(client: AsyncClient) -> None:
        job = await client.job(result.job.id)
        assert (await job.result()).archive == result.archive

    run(work, wire.address)
    wire.cut()
    assert wire.has_broken
