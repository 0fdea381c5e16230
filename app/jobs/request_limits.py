"""What of a request depends on the settings; the rest is checked by its model."""

from app.addresses import is_refused, literal_address
from app.jobs import JobRequest
from app.problems import InvalidRequest
from app.settings import Settings


def check_wish(request: JobRequest, settings: Settings) -> None:
    """Lets pass what this service can do.

    A callback's name is not resolved here: what counts is where it leads when the job has ended.

    Raises:
        InvalidRequest: the callback is a private address, or the results would be kept too long.
    """
    errors = []
    if request.callback_url is not None:
        address = literal_address(request.callback_url.host or "")
        if address is not None and is_refused(address, settings.webhook_networks):
            errors.append(_error("callback_url", "private_address", "is a private address"))
    if (request.expires_in_s or 0) > settings.max_results_ttl_s:
        most = f"must be at most {settings.max_results_ttl_s}"
        errors.append(_error("expires_in_s", "less_than_equal", most))
    if errors:
        fields = ", ".join(error["field"] for error in errors)
        raise InvalidRequest(f"Not valid: {fields}.", errors=errors)


def _error(field: str, code: str, detail: str) -> dict[str, str]:
    return {"field": field, "code": code, "detail": detail}
