"""`/`: the page for people. It calls the API as any other client does, and knows nothing more.

Its files are plain: one HTML file, style sheets, ES modules. What the page may do is the least that
it needs: its own scripts and styles, pictures that it was handed, requests to this server.
"""

from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import Scope

FOLDER = Path(__file__).parent / "files"
PAGE_PATH = "/"
FILES_PATH = "/page"
INDEX = "index.html"
FILES = (
    "api.js",
    "ask.js",
    "dom.js",
    "history.js",
    "icon.svg",
    "inputs.js",
    "job.js",
    "lines.js",
    "main.js",
    "new.js",
    "page.css",
    "pictures.js",
    "results.js",
    "run.js",
    "simple.min.css",
    "simple.min.css.LICENSE",
    "viewer.js",
    "words.js",
)
# Open to all: they hold nothing of anybody.
PAGE_PATHS = frozenset({PAGE_PATH, *(f"{FILES_PATH}/{name}" for name in FILES)})
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)
# Kept by the browser, which asks whether they have changed.
CACHE = {"Cache-Control": "no-cache"}


class PageFiles(StaticFiles):
    """The files beside the HTML."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One of them, or a 404."""
        response = await super().get_response(path, scope)
        response.headers.update(CACHE)
        return response


def install_page(app: FastAPI) -> None:
    """Adds the page; its addresses are relative, so that it works below any prefix."""
    router = APIRouter()

    @router.get(PAGE_PATH, include_in_schema=False)
    async def get_page() -> FileResponse:
        headers = {"Content-Security-Policy": POLICY, **CACHE}
        return FileResponse(FOLDER / INDEX, media_type="text/html", headers=headers)

    app.include_router(router)
    app.mount(FILES_PATH, PageFiles(directory=FOLDER))
