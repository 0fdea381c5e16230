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

from pydantic import ValidationError
from rich.console import Console

from app.observability.logs import logs_are_json
from app.problems import InvalidRequest, Problem, UnusableImage
from models.runtime.errors import HubUnreachableError
from workers.serve.listening import ListenError
from workers.serve.service_redis import RedisUnreachableError

FAULT = 1
USAGE = 2


class CommandError(Exception):
    """Base of those that the command line itself raises; the message is a sentence."""

    code = FAULT


class UsageError(CommandError):
    """What was asked for makes no sense."""

    code = USAGE


class FileError(CommandError):
    """A file or folder cannot be read or written."""

    code = 4


class UnreachableError(CommandError):
    """The service does not answer, or something else does in its place."""

    code = 5


class RefusedRequestError(CommandError):
    """The service refuses the request."""

    code = 6


class JobFailedError(CommandError):
    """The job did not succeed."""

    code = 7


def exit_code_of(error: Exception) -> int:
    """The code of any error that is told in one sentence."""
    if isinstance(error, CommandError):
        return error.code
    if isinstance(error, UnusableImage):
        return 3
    if isinstance(error, ListenError):
        return 8
    if isinstance(error, (RedisUnreachableError, HubUnreachableError)):
        return UnreachableError.code
    if isinstance(error, OSError):
        return FileError.code
    return USAGE if isinstance(error, (ValueError, InvalidRequest)) else FAULT


def tell(error: Exception) -> None:
    """Says in one sentence what went wrong: to a person, or as a line of a log."""
    if logs_are_json():
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


TOLD: tuple[type[Exception], ...] = (CommandError, Problem, RuntimeError, ValueError, OSError)
"""Whatever else is raised is a bug, and shows where."""
