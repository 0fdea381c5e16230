"""`goodmany serve` with a worker without models, and with another viewer if one is named.

python -m tests.workers.serve.run_serve DIR FUNCTION [VIEWER ...]

Its jobs run the named function.
"""

import logging
import sys
from pathlib import Path

import app.jobs.store
from app.settings import Settings
from workers.serve.service import VIEWER_COMMAND, serve

if __name__ == "__main__":
    logging.basicConfig(level="INFO")
    app.jobs.store.TASK = f"tests.workers.generation.job_functions.{sys.argv[2]}"
    settings = Settings(
        data_dir=Path(sys.argv[1]), shutdown_grace_s=1.5, webhook_allow_private="127.0.0.0/8"
    )
    worker = [sys.executable, "-m", "tests.workers.generation.run_worker"]
    raise SystemExit(serve(settings, "127.0.0.1", 0, worker, sys.argv[3:] or VIEWER_COMMAND))
