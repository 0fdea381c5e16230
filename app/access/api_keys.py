"""API keys: made once, shown once, and kept only as a hash.

A key reads `gm_<id>_<secret>`. The id names it in lists and on the jobs that it made; the secret is
192 random bits. Nobody guesses so many, however fast the hash, so a plain SHA-256 is right here: a
slow password hash would only make every request expensive.

    goodmany:api-keys   hash: id -> the key's record as JSON, revoked ones included
"""

import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from typing import cast

import redis
from pydantic import BaseModel, ConfigDict

from app.problems import Unauthorized

KEYS_KEY = "goodmany:api-keys"
PREFIX = "gm"
MAX_NAME_CHARS = 100


class ApiKey(BaseModel):
    """What is known of a key; the secret is not."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    secret_sha256: str
    created_at: datetime
    revoked_at: datetime | None = None


class ApiKeys:
    """All keys of one Redis.

    Args:
        connection: to Redis.
    """

    def __init__(self, connection: redis.Redis):
        self.connection = connection

    def create(self, name: str) -> tuple[ApiKey, str]:
        """A new key and its text, which cannot be had a second time.

        Raises:
            ValueError: the name is empty, too long or not printable.
        """
        if not name.strip() or not name.isprintable() or len(name) > MAX_NAME_CHARS:
            raise ValueError(f"A key's name has 1 to {MAX_NAME_CHARS} printable characters.")
        secret = secrets.token_hex(24)
        key = ApiKey(
            id=secrets.token_hex(6),
            name=name.strip(),
            secret_sha256=_sha256(secret),
            created_at=datetime.now(UTC),
        )
        self._write(key)
        return key, f"{PREFIX}_{key.id}_{secret}"

    def all(self) -> list[ApiKey]:
        """Every key, the oldest first."""
        raw = cast(dict[bytes, bytes], self.connection.hgetall(KEYS_KEY))
        keys = [ApiKey.model_validate_json(record) for record in raw.values()]
        return sorted(keys, key=lambda key: key.created_at)

    def revoke(self, key_id: str) -> ApiKey:
        """Makes the key worthless from its next request on; its jobs stay and end as they would.

        Raises:
            ValueError: there is no such key.
        """
        key = self._read(key_id)
        if key is None:
            raise ValueError(f"There is no API key {key_id}.")
        if key.revoked_at is None:
            key = key.model_copy(update={"revoked_at": datetime.now(UTC)})
            self._write(key)
        return key

    def check(self, text: str) -> str:
        """The id of the key that this is the text of.

        Raises:
            Unauthorized: it is no key, or one that was revoked.
        """
        prefix, _, rest = text.partition("_")
        key_id, _, secret = rest.partition("_")
        key = self._read(key_id) if prefix == PREFIX else None
        if key is None or not hmac.compare_digest(_sha256(secret), key.secret_sha256):
            raise Unauthorized("This is not an API key of this service.")
        if key.revoked_at is not None:
            raise Unauthorized("This API key has been revoked.")
        return key_id

    def _read(self, key_id: str) -> ApiKey | None:
        raw = cast(bytes | None, self.connection.hget(KEYS_KEY, key_id))
        return None if raw is None else ApiKey.model_validate_json(raw)

    def _write(self, key: ApiKey) -> None:
        self.connection.hset(KEYS_KEY, key.id, key.model_dump_json())


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
