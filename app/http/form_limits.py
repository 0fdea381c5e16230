"""What a form may be beside its fields' own limits, so that a hostile one costs little memory."""

from fastapi import Request

from app.jobs import JobRequest
from app.problems import InvalidRequest

MAX_FIELDS = 64
MAX_FIELD_BYTES = 64 * 1024
SINGLE_FIELDS = JobRequest.model_fields.keys() - {"invariances"}


async def refuse_repeated_fields(request: Request) -> None:
    """A dependency: which of two values is meant is not ours to guess.

    Raises:
        InvalidRequest: a field that has one value came several times.
    """
    form = await request.form()
    repeated = sorted(name for name in SINGLE_FIELDS if len(form.getlist(name)) > 1)
    if repeated:
        raise InvalidRequest(
            f"Sent more than once: {', '.join(repeated)}.",
            errors=[
                {"field": name, "code": "repeated", "detail": "May be sent once."}
                for name in repeated
            ],
        )
