"""How the tests are shared out to several processes: what belongs together, and the long first.

A module is done by one process, so that its fixtures are made once; so are the folders whose
fixtures take longer to make than their tests to run. What takes long is begun first: whatever is
begun last is soon over.
"""

import gc
import os
from collections.abc import Generator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# The loaded models; a service for all clients; a service and a browser.
TOGETHER = ("tests/models/job/", "tests/contract/", "tests/app/http/page/")


class WorkUnits(LoadScopeScheduling):
    """Module by module, or folder by folder, in the order of the collection."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), module_of(nodeid))


def module_of(test: str) -> str:
    """The module of a test."""
    return test.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> WorkUnits | None:
    """For `--dist loadscope`; every other way to share is xdist's own."""
    config.option.loadscopereorder = False
    return WorkUnits(config, log) if config.getoption("dist") == "loadscope" else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Nothing that is made here ever goes: no search for rubbish in it, neither now nor later."""
    gc.disable()
    result = yield
    gc.freeze()
    gc.enable()
    return result


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules with tests that are marked as slow come first, whole."""
    slow = {module_of(item.nodeid) for item in items if item.get_closest_marker("slow")}
    items.sort(
        key=lambda item: module_of(item.nodeid) not in slow and not item.nodeid.startswith(TOGETHER)
    )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Slipcover merges the coverage of whatever processes have left theirs; here all must have."""
    folder = os.environ.get("SLIPCOVER_COVERAGE_DIR")
    if folder is None or "PYTEST_XDIST_WORKER" in os.environ:
        return
    num_found = len(list(Path(folder).glob("coverage-gw*.json")))
    if num_found < session.config.option.numprocesses:
        pytest.exit(f"only {num_found} processes have left their coverage", returncode=1)
