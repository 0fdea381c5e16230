"""What the routes say about their answers: problems, files, events, and where a job leads on."""

from typing import Any

from app.problems import MEDIA_TYPE, TYPE_PREFIX, NotReady, Problem

Responses = dict[int | str, dict[str, Any]]

PROBLEM_REF = {"$ref": "#/components/schemas/ProblemDetails"}


def header(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A header of an answer."""
    return {"description": description, "schema": schema}


RETRY_AFTER = header("Seconds until it makes sense to ask again", {"type": "integer", "minimum": 0})
FILE_HEADERS = {
    "ETag": header("For `If-None-Match` and `If-Range`", {"type": "string"}),
    "Accept-Ranges": header("Byte ranges are understood", {"type": "string", "const": "bytes"}),
    "Content-Disposition": header(
        "A file name made of the object's, in the form of RFC 6266", {"type": "string"}
    ),
}
CONTENT_RANGE = header(
    "Which bytes of how many", {"type": "string", "pattern": r"^bytes (\d+-\d+|\*)/\d+$"}
)
RANGE_PARAMETERS = [
    {
        "name": name,
        "in": "header",
        "description": description,
        "schema": {"type": "string"},
        "example": example,
    }
    for name, description, example in (
        ("Range", "The bytes that are wanted; all when it is not understood.", "bytes=0-1023"),
        ("If-Range", "The ETag of the part that is there already.", '"an-etag"'),
        ("If-None-Match", "The ETag of the file that is there already.", '"an-etag"'),
    )
]


def problems(*kinds: type[Problem]) -> Responses:
    """The `responses` of a route that may answer with these problems."""
    answers: Responses = {}
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
        if kind.status in (429, NotReady.status):
            answer["headers"] = {"Retry-After": RETRY_AFTER}
        if kind.status == 416:
            answer["headers"] = {"Content-Range": CONTENT_RANGE}
    return answers


def answer(status: int, **details: dict[str, Any] | str) -> Responses:
    """The `responses` of a route with more to say about its good answer."""
    return {status: details}


def binary(media_type: str, description: str) -> Responses:
    """The `responses` of a route that answers with a file, whole or in part."""
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    part_headers = FILE_HEADERS | {"Content-Range": CONTENT_RANGE}
    return {
        200: {"description": description, "content": content, "headers": FILE_HEADERS},
        206: {
            "description": "The part that was asked for",
            "content": content,
            "headers": part_headers,
        },
        304: {
            "description": "The client has it already (`If-None-Match`)",
            "headers": {"ETag": FILE_HEADERS["ETag"]},
        },
    }


def links(*operation_ids: str, job_id: str = "$response.body#/id") -> dict[str, Any]:
    """The `links` of an answer that names a job, to operations on that job."""
    return {
        operation_id: {"operationId": operation_id, "parameters": {"job_id": job_id}}
        for operation_id in operation_ids
    }
