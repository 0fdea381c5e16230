"""What is traced of the tests for their coverage: not what would run the same lines once more.

On Python 3.11 a traced process takes twice as long for what is written in Python.
"""

import gc
import importlib
import os
import sys
import threading
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext

import pytest

# So many cases of a test are traced; the others are tested all the same.
TRACED_CASES = 2
# What takes longest to import, and every process of several imports in the end.
FOREIGN = {"torch": "Tensor", "transformers": "CLIPModel", "diffusers": "VQModel"}
# xdist's name for it.
FIRST_PROCESS = "gw0"

_num_cases: Counter[str] = Counter()


@contextmanager
def untraced() -> Iterator[None]:
    """Turns coverage's tracing off, in this thread and in those that it starts meanwhile."""
    tracer, of_threads = sys.gettrace(), threading.gettrace()
    if not type(tracer).__module__.startswith("coverage"):
        yield
        return
    sys.settrace(None)
    threading.settrace(None)  # type: ignore[arg-type]
    try:
        yield
    finally:
        sys.settrace(tracer)
        threading.settrace(of_threads)  # type: ignore[arg-type]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Of several processes, which import the same, one is traced meanwhile.

    Nothing that is made here ever goes: no search for rubbish in it, neither now nor later.
    """
    gc.disable()
    process = os.environ.get("PYTEST_XDIST_WORKER")
    if process is not None:
        with untraced():
            for module, name in FOREIGN.items():
                getattr(importlib.import_module(module), name)
    with nullcontext() if process in (None, FIRST_PROCESS) else untraced():
        result = yield
    gc.freeze()
    gc.enable()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Traces the first cases of a test, if it is not one that does the same many times."""
    test = item.nodeid.partition("[")[0]
    _num_cases[test] += 1
    if _num_cases[test] <= TRACED_CASES and not item.get_closest_marker("untraced"):
        return (yield)
    with untraced():
        return (yield)
