"""What the routes need, made once by `create_app`."""

from dataclasses import dataclass
from typing import Annotated

import anyio
from fastapi import Depends, Request

from app.files.decoders import Decoders
from app.files.image_buckets import ImageBuckets
from app.files.storage import Storage
from app.jobs.news import JobNews
from app.jobs.store import JobStore
from app.observability.live_workers import LiveWorkers
from app.retention.instance import Instance
from app.settings import Settings

# Processes that decode images, for all requests: bounds the memory and the time that images take.
MAX_DECODING = 2
# Threads that take uploads in: however many come, those who only ask are served at once.
MAX_ACCEPTING = 8


@dataclass(frozen=True)
class Services:
    """The places where jobs, files and workers are known."""

    settings: Settings
    store: JobStore
    storage: Storage
    instance: Instance
    news: JobNews
    workers: LiveWorkers
    decoders: Decoders
    buckets: ImageBuckets
    accepting: anyio.CapacityLimiter


# Not a plain function: FastAPI would run that in a thread, for every request.
async def get_services(request: Request) -> Services:
    """The services of the app that serves this request."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(get_services)]


async def get_owner(request: Request) -> str:
    """The id of the API key that the request came with, "" without one; set by `Access`."""
    owner: str = request.state.owner
    return owner


OwnerDep = Annotated[str, Depends(get_owner)]


async def get_prefix(request: Request) -> str:
    """The path below which a proxy serves us, "" for none; set by `BehindProxy`."""
    prefix: str = request.scope.get("root_path", "")
    return prefix


PrefixDep = Annotated[str, Depends(get_prefix)]
