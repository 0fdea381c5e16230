"""The HTTP route that Prometheus scrapes."""

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import choose_encoder

router = APIRouter()


@router.get("/metrics", include_in_schema=False)
def get_metrics(request: Request) -> Response:
    """All metrics, as Prometheus's text or as OpenMetrics, whichever is asked for."""
    try:
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
    except TypeError:
        # A version that is no number.
        encode, media_type = choose_encoder("")
    return Response(encode(request.app.state.metrics), headers={"Content-Type": media_type})
