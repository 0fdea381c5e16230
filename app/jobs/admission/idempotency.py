"""One job for one `Idempotency-Key`, however often and however concurrently it is sent."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from app.problems import IdempotencyKeyReused


@dataclass(frozen=True)
class Claim:
    """A client's key, unique to its owner, and the hash of the body that it came with."""

    key: str
    body_sha256: str
    owner: str = ""

    @classmethod
    def of(cls, key: str, parts: Iterable[bytes], owner: str = "") -> "Claim":
        """The claim of a body that consists of these parts, in this order."""
        digest = hashlib.sha256()
        for part in parts:
            digest.update(hashlib.sha256(part).digest())
        return cls(key, digest.hexdigest(), owner)

    @property
    def redis_key(self) -> str:
        """Where Redis keeps the claim; the client's key itself is not stored."""
        name = f"{self.owner}:{self.key}"
        return f"goodmany:claim:{hashlib.sha256(name.encode()).hexdigest()}"

    def value(self, job_id: str) -> str:
        """What Redis keeps: the body's hash and the job."""
        return f"{self.body_sha256} {job_id}"

    def resolve(self, made: bytes) -> str:
        """The job that was made for this key.

        Raises:
            IdempotencyKeyReused: it was made for another body.
        """
        body_sha256, job_id = made.decode().split()
        if body_sha256 != self.body_sha256:
            raise IdempotencyKeyReused("The key was sent before, with another request.")
        return job_id
