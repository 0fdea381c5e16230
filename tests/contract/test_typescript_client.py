"""The client that @hey-api/openapi-ts makes from the OpenAPI document runs a whole job."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import httpx2
import pytest

from tests.conftest import encode, missing_tool, texture
from tests.contract.conftest import plain_files

SOURCE = Path(__file__).parent / "typescript"
COMPILE = (
    *("tsc", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "commonjs"),
    *("--moduleResolution", "node10", "--lib", "es2022,dom,dom.iterable,dom.asynciterable"),
    *("--types", "node", "--outDir", "js", "run.ts"),
)


@pytest.fixture(scope="session")
def tools(pytestconfig: pytest.Config) -> Path:
    """A folder with the generator and the compiler, kept from run to run."""
    if not shutil.which("npm"):
        missing_tool("npm is not installed: the TypeScript client is not tried")
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("typescript-client")
    wanted = (SOURCE / "package.json").read_text()
    installed = folder / "package.json"
    if not (folder / "node_modules").exists() or installed.read_text() != wanted:
        installed.write_text(wanted)
        install = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--silent"]
        subprocess.run(install, cwd=folder, check=True)
    return folder


@pytest.mark.slow
def test_a_generated_typescript_client_runs_a_whole_job(address: str, tools: Path, tmp_path: Path):
    (tmp_path / "node_modules").symlink_to(tools / "node_modules")
    shutil.copy(SOURCE / "run.ts", tmp_path)
    for number, name in enumerate(("first.png", "second.png")):
        (tmp_path / name).write_bytes(encode(texture(seed=number)))
    (tmp_path / "broken.png").write_bytes(b"no image")

    # The generator's own Node.js: a distribution's is too old as a rule.
    path = f"{tmp_path / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"

    def run(command: tuple[str, ...]) -> None:
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    bin_folder = "node_modules/.bin"
    run((f"{bin_folder}/openapi-ts", "-i", f"{address}/openapi.json", "-o", "client"))
    run((f"{bin_folder}/{COMPILE[0]}", *COMPILE[1:]))
    with httpx2.Client(base_url=address) as http:
        document = http.get("/openapi.json").json()
    functions = (tmp_path / "client" / "sdk.gen.ts").read_text()
    num_operations = sum(len(methods) for methods in document["paths"].values())
    assert functions.count("export const ") == num_operations

    run((f"{bin_folder}/node", "js/run.js", address, str(tmp_path)))
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["job"]["state"] == "succeeded"
    assert results["states"][0] == "queued"
    assert results["states"][-1] == "succeeded"
    assert results["page"]["items"][0]["id"] == results["job"]["id"]
    assert results["canceled"]["state"] == "canceled"
    problems = {name: results[name]["type"].split(":")[-1] for name in ("expired", "twice")}
    assert problems == {"expired": "job-expired", "twice": "job-already-over"}
    assert results["refused"]["errors"][0]["field"] == "images[0]"
    assert results["failed"]["problem"]["status"] == 422

    # Its own archive is gone by now; every archive of this service has the same bytes.
    archive, image = plain_files(address)
    assert (tmp_path / "archive.zip").read_bytes() == archive
    assert (tmp_path / "part.bin").read_bytes() == archive[100:200]
    assert (tmp_path / "001.png").read_bytes() == image
