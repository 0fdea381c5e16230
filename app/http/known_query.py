"""Query parameters that nobody knows are an error: whoever sends one expects something of it."""

from fastapi import Request

from app.problems import InvalidRequest


async def refuse_unknown_query(request: Request) -> None:
    """A dependency of every route below `/v1`.

    Raises:
        InvalidRequest: a parameter is not in the OpenAPI document, or has one value and came
            several times: which is meant is not ours to guess.
    """
    if not request.query_params:
        return
    known = _documented_parameters(request)
    errors = []
    for name in dict.fromkeys(request.query_params.keys()):
        if name not in known:
            detail = f"There is no such query parameter; there are: {', '.join(known) or 'none'}."
            errors.append({"field": name, "code": "unknown", "detail": detail})
        elif known[name] != "array" and len(request.query_params.getlist(name)) > 1:
            errors.append({"field": name, "code": "repeated", "detail": "May be sent once."})
    if errors:
        fields = ", ".join(error["field"] for error in errors)
        raise InvalidRequest(f"Not valid: {fields}.", errors=errors)


def _documented_parameters(request: Request) -> dict[str, str]:
    """The query parameters of the route that serves the request, by name, with their types."""
    path = request.app.openapi()["paths"][request.scope["route"].path]
    parameters = path[request.method.lower()].get("parameters", [])
    return {
        parameter["name"]: parameter["schema"].get("type", "")
        for parameter in parameters
        if parameter["in"] == "query"
    }
