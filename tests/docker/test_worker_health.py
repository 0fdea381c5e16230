import os
import subprocess
import sys
from pathlib import Path

import pytest
from rq import Worker

from app.base.redis_connection import connect
from app.settings import Settings

ROOT = Path(__file__).parents[2]


def check(settings: Settings) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "docker/worker_health.py"],
        cwd=ROOT,
        env={**os.environ, "GOODMANY_REDIS_URL": settings.redis_url, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("elsewhere", [False, True])
def test_healthy_while_a_worker_of_this_host_is_registered(settings, elsewhere):
    before = check(settings)
    assert before.returncode == 1
    assert "no live worker" in before.stderr

    with connect(settings.redis_url) as connection:
        worker = Worker(["batch"], connection=connection)
        if elsewhere:
            worker.hostname = "another-machine"
        worker.register_birth()
        assert check(settings).returncode == (1 if elsewhere else 0)

        worker.register_death()
        assert check(settings).returncode == 1
