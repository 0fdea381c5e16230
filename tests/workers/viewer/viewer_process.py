"""`goodmany viewer` as a process, and all that it started."""

import os
import subprocess
import sys
from pathlib import Path

from app.settings import Settings
from tests.conftest import PATIENCE_S
from tests.processes import alive, descendants


class ViewerProcess:
    """The viewer with these settings."""

    def __init__(self, settings: Settings):
        values = settings.model_dump(mode="json")
        variables = {f"GOODMANY_{name.upper()}": str(value) for name, value in values.items()}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workers.cli", "viewer"], env={**os.environ, **variables}
        )

    def children(self) -> set[int]:
        return descendants(self.process.pid)

    def stop(self) -> int:
        children = self.children()
        self.process.terminate()
        code = self.process.wait(PATIENCE_S)
        assert not alive(children)
        return code

    def num_threads(self, library: str) -> int:
        """Of the one process that has loaded the library."""
        (pid,) = (p for p in self.children() if library in Path(f"/proc/{p}/maps").read_text())
        return len(list(Path(f"/proc/{pid}/task").iterdir()))
