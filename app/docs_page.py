"""`/docs`: the API's description for people, with a content security policy of its own."""

import base64
import hashlib
import re

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

# Swagger UI itself comes from here, as FastAPI has it.
SOURCE = "https://cdn.jsdelivr.net"
ICON_SOURCE = "https://fastapi.tiangolo.com"
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def install_docs_page(app: FastAPI) -> None:
    """Adds the page; it holds nothing of any request, so it is made once."""
    page = get_swagger_ui_html(openapi_url=str(app.openapi_url), title=app.title)
    policy = _policy(bytes(page.body).decode())
    router = APIRouter()

    @router.get("/docs", include_in_schema=False)
    async def get_docs() -> HTMLResponse:
        return HTMLResponse(page.body, headers={"Content-Security-Policy": policy})

    app.include_router(router)


def _policy(html: str) -> str:
    """Lets the page run its own script, known by its hash, and Swagger UI's, and call the API."""
    hashes = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in INLINE_SCRIPT.findall(html)
    ]
    scripts = " ".join(f"'sha256-{value}'" for value in hashes)
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {scripts} {SOURCE}",
            f"style-src 'unsafe-inline' {SOURCE}",
            f"img-src 'self' data: {ICON_SOURCE}",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )
