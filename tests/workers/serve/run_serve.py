"""`goodmany serve` with a worker without models; its jobs run the named function.

python -m tests.workers.serve.run_serve DIR FUNCTION [courier] [viewer]

Courier and viewer load more than all else together: where they are not named, others idle for them.
"""

import logging
import sys
from pathlib import Path

import app.jobs.store
from app.settings import Settings
from workers.serve.service import COURIER_COMMAND, VIEWER_COMMAND, serve

IDLE = ("sleep", "infinity")

if __name__ == "__main__":
    logging.basicConfig(level="INFO")
    folder, function, *parts = sys.argv[1:]
    app.jobs.store.TASK = f"tests.workers.generation.job_functions.{function}"
    settings = Settings(
        data_dir=Path(folder), shutdown_grace_s=1.5, webhook_allow_private="127.0.0.0/8"
    )
    worker = [sys.executable, "-m", "tests.workers.generation.run_worker"]
    code = serve(
        settings,
        "127.0.0.1",
        0,
        worker,
        viewer_command=VIEWER_COMMAND if "viewer" in parts else IDLE,
        courier_command=COURIER_COMMAND if "courier" in parts else IDLE,
    )
    raise SystemExit(code)
