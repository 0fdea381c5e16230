"""Wires the API together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

import anyio
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, ProcessCollector

from app.base.redis_connection import connect
from app.files.decoders import Decoders
from app.files.image_buckets import ImageBuckets
from app.files.storage import Storage
from app.http.job_form import MAX_FIELD_BYTES, MAX_FIELDS
from app.http.middleware.require_key import needs_api_key
from app.http.middleware.stack import install_middleware
from app.http.openapi.docs_page import install_docs_page
from app.http.openapi.document import install_openapi
from app.http.page.page import install_page
from app.http.problem_responses import install_problem_responses
from app.http.request_spans import HTTP_TELEMETRY
from app.http.routes import deliveries, evidence, files, health, jobs, metrics, prompts, views
from app.http.services import MAX_ACCEPTING, MAX_DECODING, Services
from app.jobs.metrics import JobCollector
from app.jobs.news import JobNews
from app.jobs.store import JobStore
from app.observability.http_metrics import HttpMetrics
from app.observability.live_workers import LiveWorkers
from app.retention.instance import Instance
from app.settings import Settings

DESCRIPTION = "A few good images in, a good many out: new defect-free images for anomaly detection."


def create_app(
    settings: Settings, host: str | None = None, decoders: Decoders | None = None
) -> FastAPI:
    """The API, ready to be served; it connects to Redis at the first request.

    Args:
        settings: of the whole service.
        host: the address that it will listen at; not known, it may be any, so keys are asked for.
        decoders: somebody else's, who closes them; else it has its own.
    """
    connection = connect(settings.redis_url)
    own_decoders = Decoders(settings, MAX_DECODING)
    news = JobNews(settings.redis_url)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        news.start()
        yield
        news.close()
        own_decoders.close()
        connection.close()

    app = FastAPI(
        title="goodmany",
        version=version("goodmany"),
        description=DESCRIPTION,
        # Both know below which path a proxy serves them.
        openapi_url=None,
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
    storage = Storage(settings.storage_address)
    registry = app.state.metrics = CollectorRegistry()
    ProcessCollector(registry=registry)
    queue_keys = {queue.name: queue.key for queue in store.queues}
    registry.register(JobCollector(connection, queue_keys, workers))
    app.state.services = Services(
        settings=settings,
        store=store,
        storage=storage,
        instance=Instance(connection, storage),
        news=news,
        workers=workers,
        decoders=decoders or own_decoders,
        buckets=ImageBuckets(settings),
        accepting=anyio.CapacityLimiter(MAX_ACCEPTING),
    )
    app.include_router(jobs.router)
    app.include_router(files.router)
    app.include_router(evidence.router)
    app.include_router(deliveries.router)
    app.include_router(prompts.router)
    app.include_router(views.router)
    app.include_router(health.router)
    app.include_router(metrics.router)
    key_required = needs_api_key(settings, host)
    install_docs_page(app)
    install_page(app)
    install_problem_responses(app)
    install_middleware(
        app, settings, connection, metrics=HttpMetrics(registry), key_required=key_required
    )
    install_openapi(app, settings, key_required=key_required)
    return app
