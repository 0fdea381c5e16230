"""Health check of worker and courier: does an RQ worker of this container stand in Redis?

RQ's workers renew their record while they live, and Redis drops it some minutes after they stop.
"""

import socket

from rq import Worker

from app.base.redis_connection import connect
from app.settings import Settings


def main() -> None:
    """Exits with 0 if this host has a live worker, else with 1 and a word why."""
    host = socket.gethostname()
    workers = Worker.all(connection=connect(Settings().redis_url))
    if all(worker.hostname != host for worker in workers):
        raise SystemExit(f"no live worker on {host}")


if __name__ == "__main__":
    main()
