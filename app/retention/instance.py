"""Which Redis and which storage belong together: files are removed only where they do.

    goodmany:instance     string in Redis: the service's id, made once
    .goodmany/instance    file in the storage: the same id

A Redis that has lost its data, an empty replica, or a second service's Redis over the same storage
know nothing of the jobs that lie there; to each of them, all files would be nobody's.
"""

import secrets
from collections.abc import Sequence
from typing import cast

import redis

from app.files.storage import Storage
from app.jobs.keys import record_key
from app.jobs.model import JOB_ID

INSTANCE_KEY = "goodmany:instance"
# In one go.
MAX_JOBS_ASKED = 1000


class ForeignStorageError(RuntimeError):
    """Nothing is removed from the storage, because it is not this Redis's; `str()` says why."""


class Instance:
    """One pair of a Redis and a storage.

    Args:
        connection: to Redis.
        storage: the files of all jobs.
    """

    def __init__(self, connection: redis.Redis, storage: Storage):
        self.connection, self.storage = connection, storage
        self._is_noted = False

    def note_use(self) -> None:
        """Marks a new storage before the first job lies in it; asks once in a process's life.

        Raises:
            StorageUnavailable: the storage is away.
        """
        if not self._is_noted:
            self.conflict()
            self._is_noted = True

    def check(self) -> str:
        """The id that both have; a storage without an id gets one, unless it is somebody else's.

        Raises:
            ForeignStorageError: they do not belong together.
            StorageUnavailable: the storage is away.
        """
        # In this order: another process that marks the storage just now has told Redis before.
        marked = self.storage.read_mark()
        known = self._known_id()
        if marked is None:
            if not self._knows_some_job():
                raise ForeignStorageError(
                    "The storage holds jobs, and none that this Redis knows; no files are removed. "
                    "`goodmany storage adopt` makes it this service's."
                )
            return self._mark()
        if known is None:
            raise ForeignStorageError(
                "Redis has no instance id and the storage has one: Redis lost its data, or it is "
                "another service's; no files are removed. `goodmany storage adopt` makes the "
                "storage this service's."
            )
        if known != marked:
            raise ForeignStorageError(
                "Redis and the storage are two services', by their instance ids; no files are "
                "removed. `goodmany storage adopt` makes the storage this service's."
            )
        return known

    def conflict(self) -> str | None:
        """Why nothing is removed from the storage; None when all is well.

        Raises:
            StorageUnavailable: the storage is away.
        """
        try:
            self.check()
        except ForeignStorageError as error:
            return str(error)
        return None

    def adopt(self) -> int:
        """Makes the storage this Redis's, whosever it was.

        Returns how many jobs lie there that Redis does not know: they will be removed as orphans.
        """
        self._mark()
        job_ids = self._job_ids()
        return len(job_ids) - self._count_known(job_ids)

    def forgotten(self, job_ids: Sequence[str]) -> list[str]:
        """Those of the jobs whose files are nobody's: the storage is ours, and they have no record.

        Both are asked at one moment, as Redis may just have failed over to an empty replica.

        Raises:
            ForeignStorageError: the storage is another service's.
        """
        instance_id, found = self.check().encode(), []
        for start in range(0, len(job_ids), MAX_JOBS_ASKED):
            some = job_ids[start : start + MAX_JOBS_ASKED]
            with self.connection.pipeline() as pipeline:
                pipeline.get(INSTANCE_KEY)
                for job_id in some:
                    pipeline.exists(record_key(job_id))
                known, *have_record = pipeline.execute()
            if known == instance_id:
                found += [i for i, exists in zip(some, have_record, strict=True) if not exists]
        return found

    def _mark(self) -> str:
        self.connection.set(INSTANCE_KEY, secrets.token_hex(16), nx=True)
        instance_id = self._known_id()
        assert instance_id is not None
        self.storage.write_mark(instance_id)
        return instance_id

    def _known_id(self) -> str | None:
        raw = cast(bytes | None, self.connection.get(INSTANCE_KEY))
        return None if raw is None else raw.decode()

    def _job_ids(self) -> list[str]:
        return [name for name in self.storage.job_ids() if JOB_ID.fullmatch(name)]

    def _knows_some_job(self) -> bool:
        """Whether one of the storage's jobs has a record, or there is no job at all."""
        job_ids = self._job_ids()
        return not job_ids or self._count_known(job_ids) > 0

    def _count_known(self, job_ids: list[str]) -> int:
        count = 0
        for start in range(0, len(job_ids), MAX_JOBS_ASKED):
            keys = [record_key(job_id) for job_id in job_ids[start : start + MAX_JOBS_ASKED]]
            count += self.connection.exists(*keys)
        return count
