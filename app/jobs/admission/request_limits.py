"""What of a request depends on the settings or on other jobs; the rest is checked by its model."""

from collections.abc import Sequence

from redis.client import Pipeline

from app.base.addresses import is_refused, literal_address
from app.images.output_size import output_size
from app.jobs.inputs import MIN_HELD_OUT, InputImage
from app.jobs.keys import unfinished_key
from app.jobs.model import JobRequest
from app.problems import InvalidRequest, TooManyJobs
from app.settings import Settings

RETRY_AFTER_S = "10"


def check_settings_limits(request: JobRequest, settings: Settings) -> None:
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


def check_held_out(held_out: Sequence[InputImage], num_given: int) -> None:
    """Lets pass what a set can be judged by, and nothing at all.

    Args:
        held_out: as they were understood, counted on after the others.
        num_given: how many others there are.

    Raises:
        InvalidRequest: there are too few, or one of them is among the others too.
    """
    if not held_out:
        return
    for image in held_out:
        if image.same_as is not None and image.same_as < num_given:
            detail = "It has the same pixels as an image that the set is made from."
            raise _invalid(image.field, "not_held_out", detail)
    num_distinct = sum(image.same_as is None for image in held_out)
    if num_distinct < MIN_HELD_OUT:
        detail = (
            f"{num_distinct} different images are too few to judge a set by; "
            f"at least {MIN_HELD_OUT} are needed."
        )
        raise _invalid("held_out_images", "too_few", detail)


def check_output_pixels(request: JobRequest, first: InputImage, settings: Settings) -> None:
    """Lets pass what the results may be large.

    Raises:
        InvalidRequest: all new images together would have more pixels than is allowed.
    """
    width, height = output_size((first.width, first.height), request.image_size)
    most = settings.max_output_pixels // (width * height)
    if request.num_images > most:
        detail = (
            f"{request.num_images} images of {width} x {height} px are more than the "
            f"{settings.max_output_pixels} pixels that one job may have; ask for at most "
            f"{most} images, or for a smaller image_size."
        )
        raise _invalid("num_images", "too_many_pixels", detail)


def _invalid(field: str, code: str, detail: str) -> InvalidRequest:
    return InvalidRequest(f"Not valid: {field}. {detail}", errors=[_error(field, code, detail)])


def _error(field: str, code: str, detail: str) -> dict[str, str]:
    return {"field": field, "code": code, "detail": detail}


def check_room(pipeline: Pipeline, owner: str, limit: int) -> None:
    """Makes sure that the transaction to come adds a job only where there is room for it.

    It watches the owner's unfinished jobs, so that the transaction fails when they change before
    it is executed.

    Args:
        pipeline: not yet in its transaction.
        owner: a key's id; "" has no limit.
        limit: how many jobs of a key may be unfinished; 0 for any number.

    Raises:
        TooManyJobs: there are as many already.
    """
    if owner and limit:
        pipeline.watch(unfinished_key(owner))
        if pipeline.scard(unfinished_key(owner)) >= limit:
            raise TooManyJobs(
                f"{limit} jobs of this key are queued or running; let one end first.",
                headers={"Retry-After": RETRY_AFTER_S},
            )
