"""`goodmany courier` as a process, and all that it started."""

import os
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

from app.settings import Settings
from tests.conftest import PATIENCE_S, wait_until
from tests.processes import alive, descendants


class CourierProcess:
    """The courier with these settings; what it logs goes to `stderr`, or where the tests' goes."""

    def __init__(self, settings: Settings, stderr: BinaryIO | None = None):
        values = settings.model_dump(mode="json")
        variables = {f"GOODMANY_{name.upper()}": str(value) for name, value in values.items()}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workers.cli", "courier"],
            env={**os.environ, **variables},
            stderr=stderr,
        )

    def children(self) -> set[int]:
        return descendants(self.process.pid)

    def kill(self) -> None:
        """kill -9, as the kernel does it when memory is short."""
        children = self.children()
        self.process.kill()
        self.process.wait()
        wait_until(lambda: not alive(children))

    def stop(self) -> int:
        children = self.children()
        self.process.terminate()
        code = self.process.wait(PATIENCE_S)
        assert not alive(children)
        return code

    def has_loaded(self, library: str) -> bool:
        return any(library in Path(f"/proc/{pid}/maps").read_text() for pid in self.children())
