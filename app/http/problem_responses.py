"""Turns every exception into one `application/problem+json` answer."""

import logging

import redis.exceptions
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from app.base.redis_connection import redis_fault
from app.http.job_form import NO_IMAGES
from app.http.middleware.behind_proxy import route_path
from app.jobs.store import CreationUnknownError
from app.problems import (
    MEDIA_TYPE,
    InternalError,
    InvalidRequest,
    MalformedBody,
    MethodNotAllowed,
    NoImages,
    NotReady,
    PageNotFound,
    Problem,
    TooManyImages,
)

log = logging.getLogger("goodmany.api")


class NothingMoreError(Exception):
    """The client has all that there will ever be: an `EventSource` does not come again."""


class ProblemResponse(JSONResponse):
    """A problem as an HTTP answer."""

    media_type = MEDIA_TYPE

    def __init__(self, problem: Problem):
        super().__init__(problem.as_dict(), problem.status, headers=problem.headers)


def install_problem_responses(app: FastAPI) -> None:
    """Registers the answer to every kind of exception that a route is known to raise."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(NothingMoreError, _on_nothing_more)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(redis.exceptions.RedisError, _on_redis_error)


async def _on_problem(_: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, Problem)
    return ProblemResponse(error)


async def _on_nothing_more(_: Request, __: Exception) -> Response:
    return Response(status_code=204)


async def _on_validation_error(_: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)
    errors = [_locate(fault) for fault in error.errors()]
    if any(e["code"] == NO_IMAGES for e in errors):
        return ProblemResponse(NoImages(errors[0]["detail"]))
    fields = ", ".join(sorted({e["field"] for e in errors}))
    return ProblemResponse(InvalidRequest(f"Not valid: {fields}.", errors=errors))


def _locate(fault: dict[str, object]) -> dict[str, str]:
    place = fault["loc"]
    assert isinstance(place, tuple)
    field = ".".join(str(part) for part in place[1:]) or str(place[0])
    return {"field": field, "code": str(fault["type"]), "detail": str(fault["msg"])}


async def _on_http_exception(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    path = request.url.path
    if error.status_code == 404:
        return ProblemResponse(PageNotFound(f"There is no page {path}.", headers=headers))
    if error.status_code == 405:
        detail = f"{request.method} is not allowed on {path}."
        return ProblemResponse(
            MethodNotAllowed(detail, headers=headers | _allowed_methods(request))
        )
    # The form's parser has no other word for it.
    if error.status_code == 400 and error.detail.startswith("Too many files"):
        return ProblemResponse(TooManyImages(error.detail, headers=headers))
    if error.status_code == 400:
        return ProblemResponse(MalformedBody(str(error.detail), headers=headers))
    return await _on_fault(request, error)


def _allowed_methods(request: Request) -> dict[str, str]:
    """`Allow` with all methods of the path; the router names those of one route."""
    for path, operations in request.app.openapi()["paths"].items():
        if compile_path(path)[0].match(route_path(request.scope)):
            methods = {method.upper() for method in operations}
            return {"Allow": ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))}
    return {}


async def _on_redis_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, redis.exceptions.RedisError)
    cause = error.__cause__ if isinstance(error, CreationUnknownError) else error
    assert isinstance(cause, redis.exceptions.RedisError)
    fault = redis_fault(cause)
    if fault is None:
        return await _on_fault(request, error)
    log.error("%s (%s)", fault, cause)
    return ProblemResponse(NotReady(fault, headers={"Retry-After": "5"}))


async def _on_fault(request: Request, error: Exception) -> ProblemResponse:
    log.error("%s %s raised", request.method, request.url.path, exc_info=error)
    return ProblemResponse(InternalError("Something broke on our side; the log knows more."))
