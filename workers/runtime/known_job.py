"""RQ's job as our workers take it: one of the known tasks, or not there at all.

RQ imports whatever function an entry names, a callback as well, and a worker of RQ's ends when it
cannot read an entry. Here an entry is looked at as it is read. One that is not ours is removed and
logged, and RQ is told what it can bear at every place: that there is no such job.
"""

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self

import redis
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.utils import import_attribute

log = logging.getLogger("goodmany.worker")


class ForeignEntryError(NoSuchJobError):
    """What stands under this id is no job of ours, and is removed."""


class KnownJob(Job):
    """A job whose function is one of `tasks`; use the class that `of_tasks` gives.

    Attributes:
        tasks: the function's full name, by the names that an entry may give it.
    """

    tasks: ClassVar[Mapping[str, str]] = MappingProxyType({})

    @classmethod
    def of_tasks(cls, tasks: Mapping[str, str]) -> type[Self]:
        """This class for a worker that has these tasks."""
        return type(cls.__name__, (cls,), {"tasks": MappingProxyType(dict(tasks))})

    @classmethod
    def fetch(cls, id: str, connection: redis.Redis | None = None, serializer: Any = None) -> Job:
        """The job of this id.

        Raises:
            NoSuchJobError: there is none, or none of ours.
        """
        try:
            return super().fetch(id, connection, serializer)
        except redis.exceptions.ResponseError as error:
            if not str(error).startswith("WRONGTYPE"):
                raise
            raise cls._refuse(id, connection, error) from error
        except NoSuchJobError as error:
            if connection is None or not connection.exists(cls.key_for(id)):
                raise
            raise cls._refuse(id, connection, error) from error
        except redis.exceptions.RedisError:
            raise
        # Whatever stands there, in whatever way it cannot be read.
        except Exception as error:
            raise cls._refuse(id, connection, error) from error

    @classmethod
    def fetch_many(
        cls, job_ids: Any, connection: redis.Redis, serializer: Any = None
    ) -> list[Job | None]:
        """The jobs of these ids, None for each that is not there or not ours."""

        def fetch(job_id: str) -> Job | None:
            try:
                return cls.fetch(job_id, connection, serializer)
            except NoSuchJobError:
                return None

        return [fetch(job_id) for job_id in job_ids]

    def restore(self, raw_data: Any) -> None:
        """As RQ does; then looks whether it is ours.

        Raises:
            ValueError: it is not; the message says why.
        """
        super().restore(raw_data)
        self.check()

    def check(self) -> None:
        """Nothing, if this is an entry as we make them.

        Raises:
            ValueError: it is not; the message says why.
        """
        if self.instance is not None or self.func_name not in self.tasks:
            raise ValueError(f"it names {self.func_name!r}")
        if self.webhooks or any(
            (self._success_callback_name, self._failure_callback_name, self._stopped_callback_name)
        ):
            raise ValueError("it names something to be called afterwards")

    @property
    def func(self) -> Callable[..., Any]:
        """The function, found in the table and nowhere else."""
        return import_attribute(self.tasks[str(self.func_name)])

    @classmethod
    def _refuse(
        cls, job_id: str, connection: redis.Redis | None, error: Exception
    ) -> ForeignEntryError:
        reason = str(error) or type(error).__name__
        log.error("entry %.100r of a queue is not ours and is removed: %.300s", job_id, reason)
        if connection is not None:
            connection.delete(cls.key_for(job_id), cls.dependents_key_for(job_id))
        return ForeignEntryError(f"{job_id} is no job of ours")
