"""What a person at the command line can bring about: one sentence each, and its own exit code.

code  what
0     done
1     a fault of the service or of its models; anything that is not below
2     an option, an argument or a setting is wrong
3     an image cannot be used
4     a file or folder cannot be read or written
5     the service, Redis or a model hub cannot be reached
6     the service refuses the request
7     the job failed, was canceled or has expired
8     the server cannot listen at this address
130   interrupted (Ctrl+C)
"""

import logging
import sys

from pydantic import ValidationError
from rich.console import Console

from app.problems import InvalidRequest, Problem, UnusableImage
from goodmany import GoodmanyError, JobCanceledError, ProblemError, UnreachableError
from goodmany import errors as problems
from models.runtime.errors import HubUnreachableError
from workers.serve.listening import ListenError
from workers.serve.redis_unreachable import RedisUnreachableError

FAULT, USAGE, UNUSABLE_IMAGE, UNREACHABLE, REFUSED, JOB_FAILED = 1, 2, 3, 5, 6, 7
SERVICE_UNAVAILABLE = 503
# The first that fits.
CODES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], int], ...] = (
    (UnusableImage, UNUSABLE_IMAGE),
    (ListenError, 8),
    ((RedisUnreachableError, HubUnreachableError), UNREACHABLE),
    (OSError, 4),
    ((ValueError, InvalidRequest), USAGE),
)
GONE = (problems.JobExpiredError, problems.JobWithoutArchiveError)


class CommandError(Exception):
    """Base of those that the command line itself raises; the message is a sentence."""

    code = FAULT


class UsageError(CommandError):
    """What was asked for makes no sense."""

    code = USAGE


class FileError(CommandError):
    """A file or folder cannot be read or written."""

    code = 4


class MissingExtraError(CommandError):
    """A command needs packages that are not installed."""


def exit_code_of(error: Exception) -> int:
    """The code of any error that is told in one sentence."""
    if isinstance(error, CommandError):
        return error.code
    if isinstance(error, GoodmanyError):
        return _code_of_answer(error)
    return next((code for kinds, code in CODES if isinstance(error, kinds)), FAULT)


def _code_of_answer(error: GoodmanyError) -> int:
    """The code of what a service said, or of its silence."""
    if isinstance(error, JobCanceledError):
        return JOB_FAILED
    if not isinstance(error, ProblemError):
        return UNREACHABLE if isinstance(error, UnreachableError) else FAULT
    if error.job is not None or isinstance(error, GONE):
        return JOB_FAILED
    if isinstance(error, problems.UnusableImageError):
        return UNUSABLE_IMAGE
    return UNREACHABLE if error.status == SERVICE_UNAVAILABLE else REFUSED


def tell(error: Exception) -> None:
    """Says in one sentence what went wrong: to a person, or as a line of a log."""
    # A process that has begun to log has imported what it logs by.
    logs = sys.modules.get("app.observability.logs")
    if logs is not None and logs.logs_are_json():
        logging.getLogger("goodmany").critical("%s", sentence_of(error))
    else:
        said = f"goodmany: {sentence_of(error)}"
        Console(stderr=True).print(said, style="red", highlight=False, markup=False)


def sentence_of(error: Exception) -> str:
    """What the person is told."""
    if isinstance(error, ValidationError):
        return describe_faults(error, prefix="GOODMANY_" if error.title == "Settings" else "")
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}."
    return str(error) or type(error).__name__


def describe_faults(error: ValidationError, *, prefix: str = "") -> str:
    """Which fields are wrong, and why; settings by the name of their variable."""
    faults = []
    for fault in error.errors():
        name = ".".join(map(str, fault["loc"]))
        faults.append(f"{prefix}{name.upper() if prefix else name}: {fault['msg']}")
    return "; ".join(faults)


TOLD: tuple[type[Exception], ...] = (
    CommandError,
    GoodmanyError,
    Problem,
    RuntimeError,
    ValueError,
    OSError,
)
"""Whatever else is raised is a bug, and shows where."""
