"""What the routes need, made once by `create_app`."""

import threading
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from app.job_store import JobStore
from app.live_workers import LiveWorkers
from app.settings import Settings
from app.storage import Storage

# Images that are decoded at the same time, in all requests: bounds the memory that they take.
MAX_DECODING = 2


@dataclass(frozen=True)
class Services:
    """The places where jobs, files and workers are known."""

    settings: Settings
    store: JobStore
    storage: Storage
    workers: LiveWorkers
    decoding: threading.Semaphore


def get_services(request: Request) -> Services:
    """The services of the app that serves this request."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(get_services)]


async def get_owner(request: Request) -> str:
    """The id of the API key that the request came with, "" without one; set by `Access`."""
    owner: str = request.state.owner
    return owner


OwnerDep = Annotated[str, Depends(get_owner)]
