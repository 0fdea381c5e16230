"""The HTTP route that Prometheus scrapes."""

import secrets

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import choose_encoder

from app.http.services import ServicesDep
from app.problems import Unauthorized

router = APIRouter()


@router.get("/metrics", include_in_schema=False)
def get_metrics(request: Request, services: ServicesDep) -> Response:
    """All metrics, as Prometheus's text or as OpenMetrics, whichever is asked for."""
    token = services.settings.metrics_token
    sent = request.headers.get("authorization", "")
    if token and not secrets.compare_digest(sent.encode(), f"Bearer {token}".encode()):
        raise Unauthorized("Send GOODMANY_METRICS_TOKEN, as `Authorization: Bearer ...`.")
    try:
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
    except TypeError:
        # A version that is no number.
        encode, media_type = choose_encoder("")
    return Response(encode(request.app.state.metrics), headers={"Content-Type": media_type})
