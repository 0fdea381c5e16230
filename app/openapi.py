"""The OpenAPI document: problem answers, binary files, examples."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.access import OPEN_PATHS
from app.jobs import ProblemDetails
from app.problems import MEDIA_TYPE, TYPE_PREFIX, Problem, TooManyRequests, Unauthorized

PROBLEM_REF = {"$ref": "#/components/schemas/ProblemDetails"}
SECURITY_SCHEME = "apiKey"


def problems(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these problems."""
    answers: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        answer = answers.setdefault(
            kind.status,
            {"description": "", "content": {MEDIA_TYPE: {"schema": PROBLEM_REF, "examples": {}}}},
        )
        answer["description"] = "; ".join(filter(None, [answer["description"], kind.title]))
        answer["content"][MEDIA_TYPE]["examples"][kind.slug] = {
            "value": {
                "type": TYPE_PREFIX + kind.slug,
                "title": kind.title,
                "status": kind.status,
                "detail": (kind.__doc__ or "").splitlines()[0],
            }
        }
    return answers


def binary(media_type: str, description: str) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that answers with a file, whole or in part."""
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {
        200: {"description": description, "content": content},
        206: {"description": "The part that was asked for", "content": content},
        304: {"description": "The client has it already (`If-None-Match`)"},
    }


def install_openapi(app: FastAPI, *, key_required: bool) -> None:
    """Makes `app.openapi` build the document once, at its first use."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _build(app)
            _describe_access(app.openapi_schema, key_required=key_required)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _build(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas = document["components"]["schemas"]
    schemas["ProblemDetails"] = ProblemDetails.model_json_schema()
    # FastAPI's own form of a 422 never leaves this service.
    for path in document["paths"].values():
        for operation in path.values():
            content = operation["responses"].get("422", {}).get("content", {})
            if content.pop("application/json", None) and not content:
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            _mark_binary(field)
    return document


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


def _mark_binary(field: dict[str, Any]) -> None:
    """Uploads as `format: binary`, which client generators know, unlike `contentMediaType`."""
    items = field.get("items", {})
    if items.pop("contentMediaType", None):
        items["format"] = "binary"
