"""The client that openapi-python-client makes from the OpenAPI document runs a whole job."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import encode, texture
from tests.contract.conftest import plain_files

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "generator-requirements.txt"
PACKAGE = "goodmany_client_under_test"


@pytest.fixture(scope="session")
def generator(pytestconfig: pytest.Config) -> Path:
    """A folder with the generator, kept from run to run; what it needs collides with our pins."""
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("python-generator")
    installed = folder / "installed.txt"
    if not installed.exists() or installed.read_text() != REQUIREMENTS.read_text():
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        target = ("--upgrade", "--target", str(folder), "-r", str(REQUIREMENTS))
        subprocess.run([*pip, *target], check=True)
        installed.write_text(REQUIREMENTS.read_text())
    return folder


@pytest.fixture(scope="module")
def package(
    address: str, generator: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ModuleType]:
    """The generated client."""
    folder = tmp_path_factory.mktemp("generated")
    command = [
        *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"),
        *("--url", f"{address}/openapi.json", "--config", str(HERE / "generator.yml")),
        *("--output-path", str(folder / PACKAGE), "--fail-on-warning"),
    ]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(generator)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        # What the client needs and nobody else here: httpx.
        patch.setattr(sys, "path", [*sys.path, str(generator)])
        yield import_module(PACKAGE)


class Generated:
    """The operations of the generated client, by their ids."""

    def __init__(self, client: Any):
        self.client = client
        self.models = import_module(f"{PACKAGE}.models")
        self.types = import_module(f"{PACKAGE}.types")

    def call(self, tag: str, operation_id: str, *args: object, **fields: object) -> Any:
        operation = import_module(f"{PACKAGE}.api.{tag}.{operation_id}")
        return operation.sync_detailed(*args, client=self.client, **fields)

    def submit(self, object_name: str, *images: bytes, **fields: object) -> Any:
        form = self.models.JobForm(
            object_name=object_name,
            images=[
                self.types.File(io.BytesIO(image), f"{number}.png", "image/png")
                for number, image in enumerate(images)
            ],
            **fields,
        )
        return self.call("jobs", "create_job", body=form)

    def follow(self, job: Any) -> Any:
        while job.state.value in ("queued", "running"):
            job = self.call("jobs", "get_job", job.id, prefer="wait=5").parsed
        return job


@pytest.fixture
def generated(package: ModuleType, address: str) -> Iterator[Generated]:
    with package.Client(base_url=address, timeout=import_module("httpx").Timeout(30)) as client:
        yield Generated(client)


@pytest.mark.slow
def test_a_generated_python_client_runs_a_whole_job(generated: Generated, address: str):
    models, images = generated.models, [encode(texture(seed=seed)) for seed in range(2)]
    answer = generated.submit(
        "hazelnut",
        *images,
        num_images=2,
        seed=1,
        prompt="a hazelnut with a shell",
        invariances=[models.Invariance.ROTATE, models.Invariance.SHIFT],
        effort=models.Effort.DRAFT,
    )
    assert answer.status_code == 202
    job = generated.follow(answer.parsed)
    assert job.state is models.JobState.SUCCEEDED
    assert (job.num_images, job.stage, job.problem) == (2, models.JobStage.FILL, None)
    assert job.created_at < job.ended_at < job.expires_at

    archive, image = plain_files(address)
    whole = generated.call("files", "get_archive", job.id)
    assert whole.parsed.payload.getvalue() == whole.content == archive
    part = generated.call("files", "get_archive", job.id, range_="bytes=100-199")
    assert (part.status_code, part.parsed.payload.getvalue()) == (206, archive[100:200])
    one = generated.call("files", "get_image", job.id, 1)
    assert one.parsed.payload.getvalue() == image
    events = generated.call("jobs", "get_job_events", job.id).content.decode()
    assert events.count("event: job") >= 3
    page = generated.call("jobs", "list_jobs", limit=100).parsed
    assert job.id in [item.id for item in page.items]

    assert generated.call("jobs", "delete_job", job.id).status_code == 204
    gone = generated.call("files", "get_archive", job.id).parsed
    assert isinstance(gone, models.ProblemDetails)
    assert (gone.status, gone.type_) == (410, "urn:goodmany:problem:job-expired")


@pytest.mark.slow
def test_a_generated_python_client_gets_typed_problems(generated: Generated):
    models, image = generated.models, encode(texture())
    refused = generated.submit("hazelnut", image, b"no image").parsed
    assert isinstance(refused, models.ProblemDetails)
    assert [fault.field for fault in refused.errors] == ["images[1]"]

    endless = generated.submit("endless thread", image).parsed
    canceled = generated.call("jobs", "cancel_job", endless.id).parsed
    assert canceled.state is models.JobState.CANCELED
    twice = generated.call("jobs", "cancel_job", endless.id).parsed
    assert twice.type_ == "urn:goodmany:problem:job-already-over"

    failed = generated.follow(generated.submit("broken hazelnut", image).parsed)
    assert failed.state is models.JobState.FAILED
    assert failed.problem.type_ == "urn:goodmany:problem:too-few-images"
