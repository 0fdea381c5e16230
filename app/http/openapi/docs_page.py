"""`/docs`: the API's description for people; it needs no other server and runs no other script."""

import base64
import hashlib
import re

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

DOCS_PATH = "/docs"
SCRIPT_PATH = f"{DOCS_PATH}/files/swagger-ui-bundle.js"
STYLE_PATH = f"{DOCS_PATH}/files/swagger-ui.css"
ICON_PATH = f"{DOCS_PATH}/files/favicon-32x32.png"
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def install_docs_page(app: FastAPI) -> None:
    """Adds the page; it holds nothing of any request, so it is made once."""
    page = get_swagger_ui_html(
        openapi_url=str(app.openapi_url),
        title=app.title,
        swagger_js_url=SCRIPT_PATH,
        swagger_css_url=STYLE_PATH,
        swagger_favicon_url=ICON_PATH,
    )
    policy = _policy(bytes(page.body).decode())
    router = APIRouter()

    @router.get(DOCS_PATH, include_in_schema=False)
    async def get_docs() -> HTMLResponse:
        return HTMLResponse(page.body, headers={"Content-Security-Policy": policy})

    app.include_router(router)
    app.mount(f"{DOCS_PATH}/files", StaticFiles(packages=[("fastapi_swagger", "resources")]))


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
            f"script-src {scripts} 'self'",
            "style-src 'unsafe-inline' 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )
