"""Wires the API together."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.metadata import version

import anyio
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, ProcessCollector

from app import delivery_routes, file_routes, health, metrics_routes, prompt_routes, routes
from app.access import needs_api_key
from app.docs_page import install_docs_page
from app.form_limits import MAX_FIELD_BYTES, MAX_FIELDS
from app.http_metrics import HttpMetrics
from app.job_metrics import JobCollector
from app.job_store import JobStore
from app.live_workers import LiveWorkers
from app.middleware import install_middleware
from app.openapi_document import install_openapi
from app.problem_responses import install_problem_responses
from app.redis_connection import connect
from app.services import MAX_ACCEPTING, MAX_DECODING, Services
from app.settings import Settings
from app.storage import Storage
from app.tracing import HTTP_TELEMETRY

DESCRIPTION = "A few good images in, a good many out: new defect-free images for anomaly detection."


def create_app(settings: Settings, host: str | None = None) -> FastAPI:
    """The API, ready to be served; it connects to Redis at the first request.

    Args:
        settings: of the whole service.
        host: the address that it will listen at; not known, it may be any, so keys are asked for.
    """
    connection = connect(settings.redis_url)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        connection.close()

    app = FastAPI(
        title="goodmany",
        version=version("goodmany"),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # The parser keeps up to 1 MiB of each file in memory, so their number is bounded there.
        form_limits={
            "max_files": settings.max_images,
            "max_fields": MAX_FIELDS,
            "max_part_size": MAX_FIELD_BYTES,
        },
        telemetry=HTTP_TELEMETRY,
        lifespan=lifespan,
    )
    store, workers = JobStore(connection, settings), LiveWorkers(connection)
    registry = app.state.metrics = CollectorRegistry()
    ProcessCollector(registry=registry)
    queue_keys = {queue.name: queue.key for queue in store.queues}
    registry.register(JobCollector(connection, queue_keys, workers))
    app.state.services = Services(
        settings=settings,
        store=store,
        storage=Storage(settings.storage_place),
        workers=workers,
        decoding=ThreadPoolExecutor(MAX_DECODING),
        accepting=anyio.CapacityLimiter(MAX_ACCEPTING),
    )
    app.include_router(routes.router)
    app.include_router(file_routes.router)
    app.include_router(delivery_routes.router)
    app.include_router(prompt_routes.router)
    app.include_router(health.router)
    app.include_router(metrics_routes.router)
    key_required = needs_api_key(settings, host)
    install_docs_page(app)
    install_problem_responses(app)
    install_middleware(
        app, settings, connection, metrics=HttpMetrics(registry), key_required=key_required
    )
    install_openapi(app, settings, key_required=key_required)
    return app
