"""`/docs`: the API's description for people; it needs no other server and runs no other script."""

import base64
import hashlib
import re
from functools import lru_cache

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

OPENAPI_PATH = "/openapi.json"
DOCS_PATH = "/docs"
SCRIPT_PATH = f"{DOCS_PATH}/files/swagger-ui-bundle.js"
STYLE_PATH = f"{DOCS_PATH}/files/swagger-ui.css"
ICON_PATH = f"{DOCS_PATH}/files/favicon-32x32.png"
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def install_docs_page(app: FastAPI) -> None:
    """Adds the page; it holds nothing of a request but the prefix that it came below."""
    router = APIRouter()

    @lru_cache(maxsize=16)
    def make_page(prefix: str) -> tuple[bytes, str]:
        page = get_swagger_ui_html(
            openapi_url=prefix + OPENAPI_PATH,
            title=app.title,
            swagger_js_url=prefix + SCRIPT_PATH,
            swagger_css_url=prefix + STYLE_PATH,
            swagger_favicon_url=prefix + ICON_PATH,
        )
        return bytes(page.body), _policy(bytes(page.body).decode())

    @router.get(DOCS_PATH, include_in_schema=False)
    async def get_docs(request: Request) -> HTMLResponse:
        body, policy = make_page(request.scope.get("root_path", ""))
        return HTMLResponse(body, headers={"Content-Security-Policy": policy})

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
