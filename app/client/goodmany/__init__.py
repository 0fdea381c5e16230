"""The Python client of a goodmany service; `Client(url, key).generate(images, object_name)`.

It knows the service by its HTTP API alone, and of this project it imports nothing.
"""

from goodmany.async_client import AsyncClient, AsyncJob
from goodmany.client import Client, Job
from goodmany.errors import (
    GoodmanyError,
    JobCanceledError,
    ProblemError,
    UnreachableError,
    WaitTimeoutError,
)
from goodmany.options import JobOptions
from goodmany.result import NewImage, Result
from goodmany.status import JobStatus
from goodmany.views import ViewFamily, Views

__all__ = [
    "AsyncClient",
    "AsyncJob",
    "Client",
    "GoodmanyError",
    "Job",
    "JobCanceledError",
    "JobOptions",
    "JobStatus",
    "NewImage",
    "ProblemError",
    "Result",
    "UnreachableError",
    "ViewFamily",
    "Views",
    "WaitTimeoutError",
]
