"""The OpenAPI document, in the form from which client generators make what works.

What FastAPI says by itself is true of JSON. A form, a header and a query cannot hold `null`; where
it is said of them, a generated client sends the word. Files are `format: binary`, which generators
know.
"""

from collections.abc import Iterator
from typing import Any, Literal, cast

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.http.middleware.require_key import OPEN_PATHS
from app.http.openapi.docs_page import OPENAPI_PATH
from app.http.openapi.responses import problems
from app.jobs.model import JOB_ID, ProblemDetails
from app.problems import TooManyRequests, Unauthorized
from app.settings import Settings

IMAGE_TYPES = "image/png, image/jpeg, image/bmp, image/tiff, image/webp, application/zip"
# Fields of files, and how many there are at least.
FILE_FIELDS = {"images": 1, "held_out_images": 1}
FILE_NAME = {
    "description": "A file is known by having a name, whichever.",
    "required": True,
    "schema": {"type": "string"},
    "example": 'form-data; name="images"; filename="first.png"',
}
TAGS = [
    {"name": "jobs", "description": "Submit, follow, cancel and remove jobs."},
    {"name": "files", "description": "What a finished job hands out."},
    {"name": "prompts", "description": "What words there are of an object, without a job."},
    {"name": "views", "description": "How good parts may differ, shown before a job."},
    {"name": "health", "description": "For whoever watches over the service."},
]
FORMS = {"JobForm": "/v1/jobs", "ViewsForm": "/v1/views"}
SECURITY_SCHEME = "apiKey"
UNSEEN_MODELS: list[tuple[type[BaseModel], Literal["serialization"]]] = [
    (ProblemDetails, "serialization"),
]
JOB_ID_PARAMETER = {
    "description": "As `create_job` gave it.",
    "schema": {"type": "string", "pattern": f"^{JOB_ID.pattern}$", "title": "Job Id"},
}


def install_openapi(app: FastAPI, settings: Settings, *, key_required: bool) -> None:
    """Makes `app.openapi` build the document once, at its first use, and adds its route."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _build(app, settings)
            _describe_access(app.openapi_schema, key_required=key_required)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    router = APIRouter()

    @router.get(OPENAPI_PATH, include_in_schema=False)
    async def get_document(request: Request) -> JSONResponse:
        document = openapi()
        if prefix := request.scope.get("root_path", ""):
            document = {**document, "servers": [{**document["servers"][0], "url": prefix}]}
        return JSONResponse(document)

    app.include_router(router)


def _build(app: FastAPI, settings: Settings) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=TAGS,
        servers=[{"url": "/", "description": "The server that this document comes from"}],
    )
    schemas = document["components"]["schemas"]
    schemas |= _unseen_schemas()
    for operation in _operations(document):
        _remove_foreign_problem(operation)
        _mark_as_extension(operation)
        for parameter in operation.get("parameters", []):
            _forbid_null(parameter["schema"])
            if parameter["name"] == "job_id":
                parameter.update(JOB_ID_PARAMETER)
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for name, path in FORMS.items():
        _describe_form(document, name, path, settings.max_images)
    schemas["JobForm"]["properties"]["expires_in_s"]["maximum"] = settings.max_results_ttl_s
    return document


def _unseen_schemas() -> dict[str, Any]:
    """Of the models that no route returns by itself."""
    _, found = models_json_schema(UNSEEN_MODELS, ref_template="#/components/schemas/{model}")
    return cast(dict[str, Any], found["$defs"])


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def _remove_foreign_problem(operation: dict[str, Any]) -> None:
    """FastAPI's own form of a 422 never leaves this service."""
    content = operation["responses"].get("422", {}).get("content", {})
    if content.pop("application/json", None) and not content:
        del operation["responses"]["422"]


def _mark_as_extension(operation: dict[str, Any]) -> None:
    """What the items of a stream are has a word in OpenAPI 3.2, which 3.1 takes as an extension."""
    content = operation["responses"].get("200", {}).get("content", {})
    for media_type in content.values():
        if "itemSchema" in media_type:
            media_type["x-itemSchema"] = media_type.pop("itemSchema")


def _forbid_null(schema: dict[str, Any]) -> None:
    """Leaves of "a text or null" the text; what is optional can stay away."""
    choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1:
        del schema["anyOf"]
        schema |= choices[0] | schema


def _describe_access(document: dict[str, Any], *, key_required: bool) -> None:
    """What `Access` asks for, and how it refuses; where it asks for nothing, a key is optional."""
    document["components"]["securitySchemes"] = {
        SECURITY_SCHEME: {
            "type": "http",
            "scheme": "bearer",
            "description": "`goodmany keys create NAME` makes an API key.",
        }
    }
    security: list[dict[str, list[str]]] = [{SECURITY_SCHEME: []}]
    for path, operations in document["paths"].items():
        if path in OPEN_PATHS:
            continue
        for operation in operations.values():
            operation["security"] = security if key_required else [*security, {}]
            for status, answer in problems(Unauthorized, TooManyRequests).items():
                operation["responses"].setdefault(str(status), answer)


def _describe_form(document: dict[str, Any], name: str, path: str, max_images: int) -> None:
    """A form with images, and the route that takes it."""
    form = document["components"]["schemas"][name]
    for field in form["properties"].values():
        _forbid_null(field)
    for field, least in FILE_FIELDS.items():
        if field in form["properties"]:
            form["properties"][field] |= {
                "items": {"type": "string", "format": "binary"},
                "minItems": least,
                "maxItems": max_images,
            }
    body = document["paths"][path]["post"]["requestBody"]["content"]["multipart/form-data"]
    body["encoding"] = {
        field: {"contentType": IMAGE_TYPES, "headers": {"Content-Disposition": FILE_NAME}}
        for field in FILE_FIELDS
        if field in form["properties"]
    }
